"""Named tensors over one flat vector.

A model's parameters are one contiguous float32 vector plus a ``Layout`` that says which part of it
is which tensor. Methods speak of names or of the whole vector, whichever is shorter; sums, norms
and optimiser steps are single operations, and the vector can live in shared memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

#: Named tensors of any dtype; ``Params`` is the kind that has a flat vector underneath.
Section = Mapping[str, Tensor]


@dataclass(frozen=True)
class Layout:
    """Names and shapes of the tensors in a flat vector, in their order."""

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor]) -> Layout:
        """Return the layout of named tensors in their order."""
        return cls(tuple(tensors), tuple(tuple(tensor.shape) for tensor in tensors.values()))

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Number of elements of each tensor."""
        return tuple(math.prod(shape) for shape in self.shapes)

    @cached_property
    def total(self) -> int:
        """Number of elements of the flat vector."""
        return sum(self.sizes)

    @cached_property
    def _hash(self) -> int:
        return hash((self.names, self.shapes))

    def __hash__(self) -> int:  # layouts are keys of caches that are asked for every client
        return self._hash

    @cached_property
    def _index(self) -> dict[str, int]:
        return {name: position for position, name in enumerate(self.names)}

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        starts = [0]
        for size in self.sizes:
            starts.append(starts[-1] + size)
        return tuple(starts)

    def view(self, flat: Tensor, name: str) -> Tensor:
        """Return one tensor as a view of ``flat``, shape ``(*leading, total)``."""
        position = self._index[name]
        piece = flat.narrow(-1, self._starts[position], self.sizes[position])
        return piece.view((*flat.shape[:-1], *self.shapes[position]))

    def views(self, flat: Tensor) -> dict[str, Tensor]:
        """Return all tensors as views of ``flat``, shape ``(*leading, total)``.

        Leading axes, such as one over clients, are kept in front of each tensor's own shape.
        """
        leading = flat.shape[:-1]
        pieces = flat.split(self.sizes, dim=-1)
        return {
            name: piece.view((*leading, *shape))
            for name, piece, shape in zip(self.names, pieces, self.shapes, strict=True)
        }

    def __contains__(self, name: object) -> bool:
        return name in self._index


@dataclass(frozen=True, eq=False)
class Params(Mapping[str, Tensor]):
    """Named float tensors that are views of ``flat``, shape ``(layout.total,)``."""

    layout: Layout
    flat: Tensor

    def __post_init__(self) -> None:
        if self.flat.shape != (self.layout.total,):
            raise ValueError(
                f"a vector of {self.layout.total} numbers is needed, "
                f"not one of shape {tuple(self.flat.shape)}"
            )

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor]) -> Params:
        """Return a copy of named tensors as one float32 vector."""
        layout = Layout.of(tensors)
        flat = torch.empty(layout.total, dtype=torch.float32)
        for name, tensor in tensors.items():
            layout.view(flat, name).copy_(tensor)
        return cls(layout, flat)

    @cached_property
    def named(self) -> dict[str, Tensor]:
        """All tensors by name, cut once."""
        return self.layout.views(self.flat)

    def __getitem__(self, name: str) -> Tensor:
        return self.named[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.layout.names)

    def __len__(self) -> int:
        return len(self.layout.names)

    def with_flat(self, flat: Tensor) -> Params:
        """Return the same names over another vector."""
        return Params(self.layout, flat)

    def clone(self) -> Params:
        """Return a copy with its own memory."""
        return self.with_flat(self.flat.clone())

    def to(self, device: torch.device) -> Params:
        """Return the parameters on a device; the same object if they are there already."""
        return self if self.flat.device == device else self.with_flat(self.flat.to(device))


def vector(sections: Mapping[str, Section], name: str) -> Params:
    """Return a section that is one vector.

    Raises:
        TypeError: If it is loose tensors instead.
    """
    section = sections[name]
    if not isinstance(section, Params):
        raise TypeError(f"section {name} is not one vector")
    return section


def add(params: Params, delta: Params, scale: float = 1.0) -> Params:
    """Return ``params + scale * delta``."""
    return params.with_flat(torch.add(params.flat, delta.flat, alpha=scale))


def subtract(params: Params, other: Params) -> Params:
    """Return ``params - other``."""
    return params.with_flat(params.flat - other.flat)


def zeros_like(params: Params) -> Params:
    """Return zeros with the names and shapes of ``params``."""
    return params.with_flat(torch.zeros_like(params.flat))


def is_finite(tensors: Iterable[Tensor]) -> bool:
    """Return whether no tensor holds a NaN or an infinity.

    One addition per element decides nearly always: a sum is only finite if all its terms are.
    """
    return all(_all_finite(tensor) for tensor in tensors)


def _all_finite(tensor: Tensor) -> bool:
    if not tensor.is_floating_point():
        return True
    if math.isfinite(float(tensor.sum())):
        return True
    return bool(torch.isfinite(tensor).all())

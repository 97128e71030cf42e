"""The shape of a message: which sections, tensors and scalars it has, without their values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch

from fedcore.messages import Message, Update
from fedcore.params import Layout, Params, Section
from fedcore.wire.container import TensorInfo, info_of


@dataclass(frozen=True)
class Schema:
    """What a message must look like to be read or counted.

    Attributes:
        kind: ``message`` (from the server) or ``update`` (from a client).
        sections: Per section its name and its tensors, in order.
        scalars: Names of the scalars, in order.
    """

    kind: str
    sections: tuple[tuple[str, tuple[TensorInfo, ...]], ...]
    scalars: tuple[str, ...]

    @cached_property
    def _hash(self) -> int:
        return hash((self.kind, self.sections, self.scalars))

    def __hash__(self) -> int:  # schemas are keys of caches that are asked for every client
        return self._hash

    def difference(self, other: Schema) -> str | None:
        """Return in words where ``other`` first differs from this schema, or None."""
        if self == other:
            return None
        if self.kind != other.kind:
            return f"expected a message of kind {self.kind}, not {other.kind}"
        expected, found = dict(self.sections), dict(other.sections)
        if tuple(expected) != tuple(found):
            return f"expected sections {list(expected)}, not {list(found)}"
        for name, tensors in expected.items():
            difference = _tensor_difference(name, tensors, found[name])
            if difference is not None:
                return difference
        if self.scalars != other.scalars:
            return f"expected scalars {list(self.scalars)}, not {list(other.scalars)}"
        return None


def schema_of(message: Message) -> Schema:
    """Return the schema of a message or an update."""
    kind, scalars = "update" if isinstance(message, Update) else "message", tuple(message.scalars)
    vectors = tuple(
        (name, section.layout, section.flat.dtype)
        for name, section in message.sections.items()
        if isinstance(section, Params)
    )
    if len(vectors) == len(message.sections):
        return _schema_of_vectors(kind, vectors, scalars)
    sections = tuple((name, tensor_infos(section)) for name, section in message.sections.items())
    return Schema(kind, sections, scalars)


@lru_cache(maxsize=64)
def _schema_of_vectors(
    kind: str, vectors: tuple[tuple[str, Layout, torch.dtype], ...], scalars: tuple[str, ...]
) -> Schema:
    sections = tuple((name, layout_infos(layout, dtype)) for name, layout, dtype in vectors)
    return Schema(kind, sections, scalars)


def tensor_infos(section: Section) -> tuple[TensorInfo, ...]:
    """Return names, types and shapes of a section's tensors, in order."""
    if isinstance(section, Params):
        return layout_infos(section.layout, section.flat.dtype)
    return tuple(info_of(name, tensor) for name, tensor in section.items())


@lru_cache(maxsize=64)
def layout_infos(layout: Layout, dtype: torch.dtype = torch.float32) -> tuple[TensorInfo, ...]:
    """Return what ``tensor_infos`` returns for parameters of this layout."""
    return tuple(
        TensorInfo(name, dtype, shape)
        for name, shape in zip(layout.names, layout.shapes, strict=True)
    )


def _tensor_difference(
    section: str, expected: tuple[TensorInfo, ...], found: tuple[TensorInfo, ...]
) -> str | None:
    names, other_names = [t.name for t in expected], [t.name for t in found]
    if names != other_names:
        wrong = sorted(set(names) ^ set(other_names)) or names
        return f"section {section}: expected other tensors, see {wrong[:3]}"
    for one, two in zip(expected, found, strict=True):
        if not one.admits(two):
            at_most = "at most " if one.is_longest else ""
            return (
                f"section {section}, tensor {one.name}: expected {one.dtype} of {at_most}shape "
                f"{list(one.shape)}, not {two.dtype} of shape {list(two.shape)}"
            )
    return None

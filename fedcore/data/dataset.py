"""A data set in memory: contiguous tensors, loaded once, of which clients are index views."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Examples:
    """Inputs ``x`` of shape (n, *input_shape), float32, and class indices ``y`` of shape (n,)."""

    x: Tensor
    y: Tensor

    def __len__(self) -> int:
        return len(self.y)

    def take(self, indices: Tensor) -> Examples:
        """Return the examples at ``indices``, in that order, in memory of their own."""
        return Examples(self.x.index_select(0, indices), self.y.index_select(0, indices))

    def to(self, device: torch.device) -> Examples:
        """Return the examples on a device."""
        return Examples(self.x.to(device), self.y.to(device))


@dataclass(frozen=True)
class Scaling:
    """How raw inputs become model inputs: ``(raw / divisor - mean) / std``."""

    divisor: float = 1.0
    mean: float = 0.0
    std: float = 1.0

    def apply(self, raw: Tensor) -> Tensor:
        """Return float32 model inputs."""
        return raw.to(torch.float32).div_(self.divisor).sub_(self.mean).div_(self.std)


@dataclass(frozen=True, eq=False)
class Dataset:
    """A classification data set with a fixed test split.

    Attributes:
        name: Kind in the spec.
        train: What the clients share out.
        test: Held out; never trained on.
        num_classes: Number of labels.
        scaling: How the inputs were made from raw values; part of an exported model.
        fingerprint: Hash of the tensors; a checkpoint names it.
    """

    name: str
    train: Examples
    test: Examples
    num_classes: int
    scaling: Scaling
    fingerprint: str

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one example, ``(features,)`` or ``(channels, height, width)``."""
        return tuple(self.train.x.shape[1:])

    def to(self, device: torch.device) -> Dataset:
        """Return the data set on a device."""
        return replace(self, train=self.train.to(device), test=self.test.to(device))

"""A partition: which examples each client holds, as index lists over one data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from fedcore.data.dataset import Dataset
from fedcore.registry import Registry
from fedcore.rng import Purpose, numpy_rng
from fedcore.spec.data import PartitionSpec

Indices = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, eq=False)
class Shares:
    """One list of example indices per client, end to end in one tensor.

    Attributes:
        indices: Shape (examples,); client k holds ``indices[starts[k]:starts[k + 1]]``.
        starts: One more than there are clients.
    """

    indices: Tensor
    starts: tuple[int, ...]

    @classmethod
    def of(cls, lists: Sequence[Indices]) -> Shares:
        """Return the shares given as one list of indices per client."""
        starts = np.cumsum([0, *(len(part) for part in lists)])
        indices = torch.from_numpy(np.concatenate(lists).astype(np.int64))
        return cls(indices, tuple(int(start) for start in starts))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def size(self, client_id: int) -> int:
        """Return how many examples a client holds."""
        return self.starts[client_id + 1] - self.starts[client_id]

    def of_client(self, client_id: int) -> Tensor:
        """Return a client's example indices as a view."""
        return self.indices[self.starts[client_id] : self.starts[client_id + 1]]

    def owners(self) -> Tensor:
        """Return which client holds ``indices[i]``, shape (examples,), on the CPU."""
        sizes = torch.tensor(self.starts).diff()
        return torch.arange(len(self)).repeat_interleave(sizes)

    def to(self, device: torch.device) -> Shares:
        """Return the shares with their indices on a device."""
        return Shares(self.indices.to(device), self.starts)


@dataclass(frozen=True, eq=False)
class Partition:
    """Training and test examples of every client, drawn with the same proportions."""

    train: Shares
    test: Shares

    @property
    def num_clients(self) -> int:
        """Number of clients, with or without examples."""
        return len(self.train)

    def to(self, device: torch.device) -> Partition:
        """Return the partition with its indices on a device."""
        return Partition(self.train.to(device), self.test.to(device))


class Partitioner(Protocol):
    """Divides a data set in one way."""

    def __call__(
        self, spec: PartitionSpec, dataset: Dataset, random: np.random.Generator
    ) -> tuple[list[Indices], list[Indices]]:
        """Return the training and the test indices of every client; both cover their split.

        Raises:
            PartitionError: If the data cannot be divided as the spec asks.
        """


PARTITIONERS: Registry[Partitioner] = Registry(PartitionSpec)


def divide(spec: PartitionSpec, dataset: Dataset, seed: int) -> Partition:
    """Return the partition of a data set, the same one for the same seed.

    Raises:
        PartitionError: If the data cannot be divided as the spec asks.
    """
    random = numpy_rng(seed, Purpose.PARTITION)
    train, test = PARTITIONERS.of(spec)(spec, dataset, random)
    return Partition(
        Shares.of([random.permutation(part) for part in train]),
        Shares.of([random.permutation(part) for part in test]),
    )


def class_counts(shares: Shares, labels: Tensor, num_classes: int) -> Tensor:
    """Return how many examples of each class each client holds, shape (clients, classes)."""
    cells = shares.owners() * num_classes + labels.cpu()[shares.indices.cpu()]
    return torch.bincount(cells, minlength=len(shares) * num_classes).view(-1, num_classes)

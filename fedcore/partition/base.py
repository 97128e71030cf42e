"""A partition: which examples each client holds, as index lists over one data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from fedcore.data.dataset import Dataset
from fedcore.errors import PartitionError
from fedcore.registry import Registry
from fedcore.rng import Purpose, numpy_rng
from fedcore.spec.data import PartitionSpec

Indices = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]


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
    """Training and test examples of every client, drawn with the same proportions.

    Attributes:
        train: Who holds which training examples.
        test: Who is tested on which test examples.
        names: What to call each client; empty where they have numbers only.
    """

    train: Shares
    test: Shares
    names: tuple[str, ...] = ()

    @property
    def num_clients(self) -> int:
        """Number of clients, with or without examples."""
        return len(self.train)

    def to(self, device: torch.device) -> Partition:
        """Return the partition with its indices on a device."""
        return Partition(self.train.to(device), self.test.to(device), self.names)


@dataclass(frozen=True, eq=False)
class Material:
    """What a partitioner works with.

    Attributes:
        dataset: What is divided.
        random: The only source of randomness.
        seed: Seed of the run, for streams of their own.
        cache: Where to keep what is slow to find out; None to find it out every time.
    """

    dataset: Dataset
    random: np.random.Generator
    seed: int
    cache: Path | None


@dataclass(frozen=True, eq=False)
class Parts:
    """Indices of every client's examples, in any order; no example is in two parts.

    Attributes:
        train: Into the training split.
        test: Into the test split, in the proportions of ``train``.
        names: What to call each client, if they have names.
    """

    train: Sequence[Indices]
    test: Sequence[Indices]
    names: tuple[str, ...] = ()


class Partitioner(Protocol):
    """Divides a data set in one way."""

    def __call__(self, spec: PartitionSpec, material: Material) -> Parts:
        """Return the examples of every client.

        Raises:
            PartitionError: If the data cannot be divided as the spec asks.
        """


PARTITIONERS: Registry[Partitioner] = Registry(PartitionSpec)


def divide(
    spec: PartitionSpec, dataset: Dataset, seed: int, cache: Path | None = None
) -> Partition:
    """Return the partition of a data set, the same one for the same seed.

    Args:
        spec: How to divide.
        dataset: What to divide.
        seed: Seed of the run.
        cache: Where to keep what is slow to find out.

    Raises:
        PartitionError: If the data cannot be divided as the spec asks.
    """
    random = numpy_rng(seed, Purpose.PARTITION)
    parts = PARTITIONERS.of(spec)(spec, Material(dataset, random, seed, cache))
    return Partition(
        Shares.of([random.permutation(part) for part in parts.train]),
        Shares.of([random.permutation(part) for part in parts.test]),
        parts.names,
    )


def require_enough_examples(spec: PartitionSpec, dataset: Dataset) -> None:
    """Check that there are enough training examples for all clients.

    Raises:
        PartitionError: If there are not.
    """
    each, held = spec.smallest_share, len(dataset.train)
    if spec.clients * each > held:
        raise PartitionError(
            f"{spec.clients} clients with at least {each} training examples each need more than "
            f"the {held} that there are",
            field="partition.clients",
            fix=f"Set partition.clients to at most {held // each}.",
        )


def class_counts(shares: Shares, labels: Tensor, num_classes: int) -> Tensor:
    """Return how many examples of each class each client holds, shape (clients, classes)."""
    cells = shares.owners() * num_classes + labels.cpu()[shares.indices.cpu()]
    return torch.bincount(cells, minlength=len(shares) * num_classes).view(-1, num_classes)

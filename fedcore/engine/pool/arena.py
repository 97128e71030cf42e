"""Memory that several processes map, to pass tensors without copying them through a socket.

One process writes an arena and the others read it. What is written lies end to end and is forgotten
as a whole; whoever reads must be done before that, which the order of messages sees to.
"""

from __future__ import annotations

import math
import mmap
import os
import tempfile
from typing import Any

import torch
from torch import Tensor

from fedcore.wire.container import ALIGNMENT_BYTES, DTYPE_NAMES, DTYPES

#: Where a tensor lies: offset, type and shape; fits into JSON.
Place = list[Any]

_FIRST_BYTES = 1 << 20


class Arena:
    """An unnamed file in memory; it is gone when the last process that holds it ends."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._used = 0
        self._bytes = self._map()

    @classmethod
    def create(cls) -> Arena:
        """Return a new arena."""
        descriptor = _unnamed_file()
        os.ftruncate(descriptor, _FIRST_BYTES)
        return cls(descriptor)

    def forget(self) -> None:
        """Let the next tensor overwrite the first."""
        self._used = 0

    def put(self, tensor: Tensor) -> Place:
        """Copy a tensor into the arena and return where it lies."""
        place: Place = [self._used, DTYPE_NAMES[tensor.dtype], list(tensor.shape)]
        end = self._used + tensor.numel() * tensor.element_size()
        if end > len(self._bytes):
            os.ftruncate(self.descriptor, max(end, 2 * len(self._bytes)))
            self._bytes = self._map()
        self.get(place).copy_(tensor)
        self._used = -(-end // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
        return place

    def get(self, place: Place) -> Tensor:
        """Return the tensor at a place, as a view that lasts until the arena is overwritten."""
        offset, dtype_name, shape = place
        dtype = DTYPES[dtype_name]
        end = offset + math.prod(shape) * dtype.itemsize
        if end > len(self._bytes):  # the writer has made it larger
            self._bytes = self._map()
        return self._bytes[offset:end].view(dtype).view(shape)

    def close(self) -> None:
        """Give the file back; tensors that still look into it stay valid."""
        self._bytes = torch.empty(0, dtype=torch.uint8)
        os.close(self.descriptor)

    def _map(self) -> Tensor:
        # The tensor keeps the mapping alive, so a larger one does not pull it from under others.
        mapped = mmap.mmap(self.descriptor, os.fstat(self.descriptor).st_size)
        return torch.frombuffer(mapped, dtype=torch.uint8)


class Flag:
    """One bit that all processes see."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._memory = mmap.mmap(descriptor, mmap.PAGESIZE)

    @classmethod
    def create(cls) -> Flag:
        """Return a flag that is down."""
        descriptor = _unnamed_file()
        os.ftruncate(descriptor, mmap.PAGESIZE)
        return cls(descriptor)

    def raise_(self) -> None:
        """Put it up."""
        self._memory[0] = 1

    def lower(self) -> None:
        """Take it down."""
        self._memory[0] = 0

    def is_up(self) -> bool:
        """Return whether it is up."""
        return self._memory[0] != 0

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()
        os.close(self.descriptor)


def _unnamed_file() -> int:
    """Return a file in memory where the system has such, else a deleted one on disk."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("roundhouse")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())

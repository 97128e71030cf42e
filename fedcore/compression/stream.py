"""A message's packed bytes: written piece by piece, read in the same order."""

from __future__ import annotations

import torch
from torch import Tensor

from fedcore.errors import WireError


class Sink:
    """Collects the pieces of one message."""

    def __init__(self) -> None:
        self._pieces: list[Tensor] = []

    def write(self, values: Tensor) -> None:
        """Append the bytes of a tensor of any type, little-endian, in the order of elements."""
        self._pieces.append(values.contiguous().view(-1).view(torch.uint8))

    def packed(self) -> Tensor:
        """Return all that was written as one uint8 vector."""
        if not self._pieces:
            return torch.empty(0, dtype=torch.uint8)
        return torch.cat(self._pieces)


class Source:
    """Hands out the pieces of one message.

    Raises:
        WireError: From ``read`` if the message is too short, from ``finish`` if it is too long.
    """

    def __init__(self, packed: Tensor) -> None:
        self._packed = packed
        self._position = 0

    def nothing(self) -> Tensor:
        """Return no float32 values at all."""
        return torch.empty(0, device=self._packed.device)

    def read(self, count: int, dtype: torch.dtype = torch.uint8) -> Tensor:
        """Return the next ``count`` elements of a type; a copy, so that it is aligned."""
        end = self._position + count * dtype.itemsize
        if end > self._packed.numel():
            raise WireError("a packed section ends too early")
        piece = self._packed[self._position : end]
        self._position = end
        return piece.clone().view(dtype)

    def finish(self) -> None:
        """Check that nothing is left."""
        if self._position != self._packed.numel():
            raise WireError("a packed section is longer than it should be")

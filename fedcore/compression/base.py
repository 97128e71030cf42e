"""What a codec is: a pair of functions over one tensor's entries, and a registry of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from fedcore.compression.stream import Sink, Source
from fedcore.registry import Registry
from fedcore.rng import Purpose, rng
from fedcore.spec.compression import CodecSpec, SupportCodecSpec, ValueCodecSpec

#: Returns the places of the entries that travel, ascending, out of values of shape ``(n,)``.
Chooser = Callable[[Tensor, int], Tensor]
#: Returns the places of ``kept`` entries out of ``size``, ascending, as read from a message.
Finder = Callable[[int, int], Tensor]


@dataclass(frozen=True)
class CodecContext:
    """Which message is encoded; randomness and the warm-up of a codec depend on nothing else.

    Attributes:
        seed: Seed of the run.
        round_index: Round of the message.
        client_id: Who sends it; None for the server.
        cohort_size: Clients of the round, where a codec needs it.
    """

    seed: int
    round_index: int
    client_id: int | None = None
    cohort_size: int = 1

    def generator(self) -> torch.Generator:
        """Return the random numbers for rounding in this message."""
        return rng(self.seed, Purpose.COMPRESSION, self.round_index, self.client_id)


class ValueCodec(Protocol):
    """Decides how many bits an entry gets.

    ``encode`` writes exactly ``spec.value_bytes(n)`` bytes for values of shape ``(n,)``, float32,
    and ``decode`` reads them and returns float32 values of that shape.
    """

    def encode(self, values: Tensor, generator: torch.Generator, sink: Sink) -> None:
        """Write values; they are finite."""
        ...

    def decode(self, count: int, source: Source) -> Tensor:
        """Return ``count`` values.

        Raises:
            WireError: If the bytes mean nothing.
        """
        ...


class SupportCodec(Protocol):
    """Chooses the entries that travel."""

    def chooser(self, context: CodecContext, sink: Sink) -> Chooser:
        """Return the function that chooses entries tensor by tensor and writes their places."""
        ...

    def finder(self, source: Source) -> Finder:
        """Return the function that reads places tensor by tensor."""
        ...

    def scale(self, size: int, kept: int) -> float:
        """Return the factor of the entries that travel."""
        ...


VALUE_CODECS: Registry[Callable[[ValueCodecSpec], ValueCodec]] = Registry(CodecSpec)
SUPPORT_CODECS: Registry[Callable[[SupportCodecSpec], SupportCodec]] = Registry(CodecSpec)

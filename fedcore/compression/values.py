"""Value codecs without settings of their own to speak of: raw numbers, casts, signs, trits."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fedcore.compression.base import VALUE_CODECS
from fedcore.compression.bits import (
    TRITS_PER_BYTE,
    pack_bits,
    pack_trits,
    unpack_bits,
    unpack_trits,
)
from fedcore.compression.stream import Sink, Source
from fedcore.errors import CodecError
from fedcore.spec.compression import CastSpec, SignSpec, TernarySpec, packed_bytes

_DTYPES = {
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float32": torch.float32,
}


class Raw:
    """32-bit numbers as they are: what a chain without a value codec sends."""

    def encode(self, values: Tensor, generator: torch.Generator, sink: Sink) -> None:  # noqa: ARG002
        """Write the values' own bytes."""
        sink.write(values)

    def decode(self, count: int, source: Source) -> Tensor:
        """Return the values, bit for bit."""
        return source.read(count, torch.float32)


@VALUE_CODECS.implements(CastSpec)
@dataclass(frozen=True)
class Cast:
    """Numbers of another floating-point type, rounded to the nearest."""

    spec: CastSpec

    def encode(self, values: Tensor, generator: torch.Generator, sink: Sink) -> None:  # noqa: ARG002
        """Write the numbers.

        Raises:
            CodecError: If one is too large for the type.
        """
        narrow = values.to(_DTYPES[self.spec.dtype])
        if not bool(torch.isfinite(narrow).all()):
            raise CodecError(
                f"a number of the update does not fit into {self.spec.dtype}",
                field="compression",
                fix="Use dtype bfloat16, which has the range of float32.",
            )
        sink.write(narrow)

    def decode(self, count: int, source: Source) -> Tensor:
        """Return the numbers as float32."""
        return source.read(count, _DTYPES[self.spec.dtype]).to(torch.float32)


@VALUE_CODECS.implements(SignSpec)
@dataclass(frozen=True)
class Sign:
    """Signs times the mean absolute value; zero counts as positive.

    Source: Karimireddy et al., ICML 2019, arXiv:1901.09847, Algorithm 1 (scaled sign).
    """

    spec: SignSpec

    def encode(self, values: Tensor, generator: torch.Generator, sink: Sink) -> None:  # noqa: ARG002
        """Write the mean, then one bit per entry."""
        if values.numel():
            sink.write(values.abs().mean())
            sink.write(pack_bits(values >= 0, 1))

    def decode(self, count: int, source: Source) -> Tensor:
        """Return plus or minus the mean."""
        if count == 0:
            return source.nothing()
        size = source.read(1, torch.float32)
        bits = unpack_bits(source.read(packed_bytes(count, 1)), 1, count)
        return torch.where(bits == 1, size, -size)


@VALUE_CODECS.implements(TernarySpec)
@dataclass(frozen=True)
class Ternary:
    """Random trits times the largest absolute value after clipping.

    Source: Wen et al., NeurIPS 2017, arXiv:1705.07878, equations 2, 3 and 8. The standard
    deviation is taken about zero, so that a constant tensor is not clipped away.
    """

    spec: TernarySpec

    def encode(self, values: Tensor, generator: torch.Generator, sink: Sink) -> None:
        """Write the largest value, then five entries per byte."""
        if values.numel() == 0:
            return
        if self.spec.clip_std is not None:
            limit = self.spec.clip_std * values.square().mean(dtype=torch.float64).sqrt().float()
            values = torch.minimum(torch.maximum(values, -limit), limit)
        largest = values.abs().amax()
        chance = torch.rand(values.shape, generator=generator).to(values.device)
        travels = values.abs() > chance * largest
        sink.write(largest)
        sink.write(pack_trits(torch.sign(values).mul_(travels).to(torch.int8) + 1))

    def decode(self, count: int, source: Source) -> Tensor:
        """Return minus the largest value, zero or the largest value."""
        if count == 0:
            return source.nothing()
        largest = source.read(1, torch.float32)
        trits = unpack_trits(source.read(-(-count // TRITS_PER_BYTE)), count)
        return (trits.to(torch.float32) - 1.0) * largest

"""Whole numbers of few bits with one scale per tensor.

Source: Mawela, Ben Issaid and Bennis, IEEE IoT-J 2025, arXiv:2408.13010, for modes ``fixed`` and
``adaptive``; ``absmax`` is the usual symmetric quantiser.
Paper to code: q = clamp(z + (x - m) / s) with step s, zero z and mean m; x = s (q - z) + m.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fedcore.compression.base import VALUE_CODECS
from fedcore.compression.bits import pack_bits, unpack_bits
from fedcore.compression.stream import Sink, Source
from fedcore.spec.compression import QuantizeSpec, packed_bytes

#: Step of mode ``adaptive`` for a tensor of equal values, as in the reference system.
_STEP_OF_CONSTANT = 0.001


@VALUE_CODECS.implements(QuantizeSpec)
@dataclass(frozen=True)
class Quantize:
    """Codes from ``-2**(bits-1)`` to ``2**(bits-1) - 1``, half-way cases to the even code."""

    spec: QuantizeSpec

    def encode(self, values: Tensor, generator: torch.Generator, sink: Sink) -> None:
        """Write the scale, then the packed codes."""
        if values.numel() == 0:
            return
        step, zero, mean = self._grid(values)
        if self.spec.mode == "absmax":
            sink.write(step)
        elif self.spec.mode == "adaptive":
            sink.write(torch.stack([step, zero, mean]))
        centred = values - mean if self.spec.mode == "adaptive" else values
        codes = centred / torch.where(step > 0, step, 1.0)
        if self.spec.mode == "adaptive":
            codes.add_(zero)
        if self.spec.rounding == "stochastic":
            noise = torch.rand(values.shape, generator=generator).to(values.device)
            codes.add_(noise).floor_()
        else:
            codes.round_()
        codes.clamp_(-self._half, self._half - 1).add_(self._half)
        sink.write(pack_bits(codes.to(torch.int32), self.spec.bits))

    def decode(self, count: int, source: Source) -> Tensor:
        """Return the values of the codes."""
        if count == 0:
            return source.nothing()
        step, zero, mean = self._read_grid(source)
        packed = source.read(packed_bytes(count, self.spec.bits))
        codes = unpack_bits(packed, self.spec.bits, count) - self._half
        return (codes.to(torch.float32) - zero).mul_(step).add_(mean)

    @property
    def _half(self) -> int:
        return 1 << (self.spec.bits - 1)

    def _grid(self, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return step, zero and mean, each of shape ``()``."""
        nothing = values.new_zeros(())
        if self.spec.mode == "fixed":
            return values.new_tensor(self.spec.step), nothing, nothing
        if self.spec.mode == "absmax":
            return values.abs().amax() / (self._half - 1), nothing, nothing
        low, high = values.amin(), values.amax()
        step = (high - low) / (2 * self._half - 1)
        step = torch.where(step > 0, step, _STEP_OF_CONSTANT)
        # In float64, so that the mean of equal values is that value.
        mean = values.mean(dtype=torch.float64).to(torch.float32)
        zero = (-self._half - (low - mean) / step).clamp(-self._half, self._half - 1).trunc()
        return step, zero, mean

    def _read_grid(self, source: Source) -> tuple[Tensor, Tensor, Tensor]:
        nothing = torch.zeros(())
        if self.spec.mode == "fixed":
            return torch.tensor(self.spec.step), nothing, nothing
        if self.spec.mode == "absmax":
            return source.read(1, torch.float32)[0], nothing, nothing
        step, zero, mean = source.read(3, torch.float32)
        return step, zero, mean

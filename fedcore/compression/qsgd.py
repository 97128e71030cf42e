"""QSGD: random rounding to levels of a norm.

Source: Alistarh et al., NeurIPS 2017, arXiv:1610.02132, section 3.1, without entropy coding.
Paper to code: s is ``spec.levels``; level i/s of the norm is chosen so that the mean is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fedcore.compression.base import VALUE_CODECS
from fedcore.compression.bits import pack_bits, unpack_bits
from fedcore.compression.stream import Sink, Source
from fedcore.errors import WireError
from fedcore.spec.compression import QsgdSpec, packed_bytes


@VALUE_CODECS.implements(QsgdSpec)
@dataclass(frozen=True)
class Qsgd:
    """A norm per bucket, and per entry a sign and a level."""

    spec: QsgdSpec

    def encode(self, values: Tensor, generator: torch.Generator, sink: Sink) -> None:
        """Write the norms, then the packed codes."""
        count = values.numel()
        if count == 0:
            return
        rows = self._rows(values)
        norms = rows.norm(dim=1, keepdim=True, dtype=torch.float64).to(torch.float32)
        scaled = torch.where(norms > 0, rows.abs() / norms, 0.0).mul_(self.spec.levels)
        noise = torch.rand(rows.shape, generator=generator).to(values.device)
        levels = torch.floor(scaled + noise).clamp_(max=self.spec.levels).to(torch.int32)
        sign_bit = (rows < 0).to(torch.int32) << (self.spec.bits - 1)
        sink.write(norms)
        sink.write(pack_bits((levels | sign_bit).view(-1)[:count], self.spec.bits))

    def decode(self, count: int, source: Source) -> Tensor:
        """Return norm times level.

        Raises:
            WireError: If a level is above the highest.
        """
        if count == 0:
            return source.nothing()
        bucket = self.spec.bucket or count
        norms = source.read(-(-count // bucket), torch.float32)
        codes = unpack_bits(source.read(packed_bytes(count, self.spec.bits)), self.spec.bits, count)
        sign_bit = 1 << (self.spec.bits - 1)
        levels = codes & (sign_bit - 1)
        if bool((levels > self.spec.levels).any()):
            raise WireError("a level of a quantised payload is out of range")
        values = levels.to(torch.float32).mul_(norms.repeat_interleave(bucket)[:count])
        values.div_(self.spec.levels)
        return torch.where(codes >= sign_bit, -values, values)

    def _rows(self, values: Tensor) -> Tensor:
        """Return the values bucket by bucket, the last one filled up with zeros."""
        bucket = self.spec.bucket or values.numel()
        missing = -values.numel() % bucket
        return torch.cat([values, values.new_zeros(missing)]).view(-1, bucket)

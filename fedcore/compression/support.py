"""Which entries travel: the largest, or random ones.

Source: Stich, Cordonnier and Jaggi, NeurIPS 2018, arXiv:1809.07599, Definition 2.2 (top-k, rand-k).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fedcore.compression.base import SUPPORT_CODECS, Chooser, CodecContext, Finder
from fedcore.compression.bits import pack_bits, unpack_bits
from fedcore.compression.stream import Sink, Source
from fedcore.errors import WireError
from fedcore.rng import Purpose, rng
from fedcore.spec.compression import (
    SHORT_INDEX_SIZE,
    DgcSpec,
    RandkSpec,
    SupportCodecSpec,
    TopkSpec,
    index_format,
    packed_bytes,
)


def largest(values: Tensor, kept: int) -> Tensor:
    """Return the places of the largest absolute values, ascending, shape ``(kept,)``.

    Among equals the first ones are taken, so that any two machines agree.
    """
    sizes = values.abs()
    threshold = torch.topk(sizes, kept, sorted=False).values.amin()
    above = sizes > threshold
    missing = kept - int(above.sum())
    above[(sizes == threshold).nonzero().view(-1)[:missing]] = True
    return above.nonzero().view(-1)


@SUPPORT_CODECS.implements(TopkSpec)
@SUPPORT_CODECS.implements(DgcSpec)
@dataclass(frozen=True)
class TopK:
    """The entries with the largest absolute values; their places travel as bits or as indices."""

    spec: SupportCodecSpec

    def chooser(self, context: CodecContext, sink: Sink) -> Chooser:  # noqa: ARG002
        """Return the function that chooses and writes places."""

        def choose(values: Tensor, kept: int) -> Tensor:
            places = largest(values, kept)
            _write_places(places, values.numel(), sink)
            return places

        return choose

    def finder(self, source: Source) -> Finder:
        """Return the function that reads places."""
        return lambda size, kept: _read_places(size, kept, source)

    def scale(self, size: int, kept: int) -> float:  # noqa: ARG002
        """Return 1: the entries travel as they are."""
        return 1.0


@SUPPORT_CODECS.implements(RandkSpec)
@dataclass(frozen=True)
class RandomK:
    """Entries that a seed in the message chooses."""

    spec: RandkSpec

    def chooser(self, context: CodecContext, sink: Sink) -> Chooser:
        """Write the seed and return the function that draws places from it."""
        client_id = None if self.spec.shared else context.client_id
        stream = rng(context.seed, Purpose.SPARSITY, context.round_index, client_id)
        seed = torch.randint(2**63 - 1, (1,), generator=stream)
        sink.write(seed)
        draw = _draws(int(seed))
        return lambda values, kept: draw(values.numel(), kept).to(values.device)

    def finder(self, source: Source) -> Finder:
        """Read the seed and return the function that draws places from it."""
        return _draws(int(source.read(1, torch.int64)))

    def scale(self, size: int, kept: int) -> float:
        """Return what makes the update right on average, or 1 with error feedback."""
        return 1.0 if self.spec.error_feedback else size / kept


def _draws(seed: int) -> Finder:
    generator = torch.Generator().manual_seed(seed)

    def draw(size: int, kept: int) -> Tensor:
        return torch.randperm(size, generator=generator)[:kept].sort().values

    return draw


def _write_places(places: Tensor, size: int, sink: Sink) -> None:
    if index_format(size, places.numel()) == "bitmap":
        bits = torch.zeros(size, dtype=torch.uint8, device=places.device)
        bits[places] = 1
        sink.write(pack_bits(bits, 1))
    elif size <= SHORT_INDEX_SIZE:
        sink.write((places - (1 << 15)).to(torch.int16))  # torch has no arithmetic on uint16
    else:
        sink.write(places.to(torch.int32))


def _read_places(size: int, kept: int, source: Source) -> Tensor:
    if index_format(size, kept) == "bitmap":
        bits = unpack_bits(source.read(packed_bytes(size, 1)), 1, size)
        places = bits.nonzero().view(-1)
    elif size <= SHORT_INDEX_SIZE:
        places = source.read(kept, torch.int16).to(torch.int64) + (1 << 15)
    else:
        places = source.read(kept, torch.int32).to(torch.int64)
    in_order = bool((places[1:] > places[:-1]).all())
    if places.numel() != kept or not in_order or int(places[0]) < 0 or int(places[-1]) >= size:
        raise WireError("the places in a sparse payload do not fit the tensor")
    return places

"""A chain of codecs over all tensors of a message: entries are chosen, then their bits."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from fedcore.compression.base import (
    SUPPORT_CODECS,
    VALUE_CODECS,
    CodecContext,
    SupportCodec,
    ValueCodec,
)
from fedcore.compression.stream import Sink, Source
from fedcore.compression.values import Raw
from fedcore.errors import CodecError
from fedcore.params import Layout, Params, is_finite
from fedcore.spec.compression import (
    CodecSpec,
    SupportCodecSpec,
    ValueCodecSpec,
    chain_bytes,
)


@dataclass(frozen=True, eq=False)
class Packed:
    """An encoded message.

    Attributes:
        data: The bytes, uint8, shape ``(num_bytes,)``.
        chosen: Which entries travel, bool, shape ``(total,)``; None if all do.
    """

    data: Tensor
    chosen: Tensor | None


@dataclass(frozen=True)
class _Piece:
    """One tensor of a message: where it is in the flat vector, and how many entries travel."""

    start: int
    size: int
    kept: int

    def of(self, flat: Tensor) -> Tensor:
        return flat[self.start : self.start + self.size]


@dataclass(frozen=True)
class Chain:
    """Encodes named tensors as one vector of bytes, and back.

    Each tensor is encoded by itself, with its own scale and its own share of the entries, unless
    the support is global. The number of bytes follows from the layout and the round.
    """

    links: tuple[CodecSpec, ...]

    @cached_property
    def support(self) -> SupportCodecSpec | None:
        """The link that chooses entries, if there is one."""
        return next((link for link in self.links if isinstance(link, SupportCodecSpec)), None)

    @cached_property
    def value_codec(self) -> ValueCodecSpec | None:
        """The link that decides the bits of an entry, if there is one."""
        return next((link for link in self.links if isinstance(link, ValueCodecSpec)), None)

    @property
    def fits_weights(self) -> bool:
        """Whether a decoded message may be used as a model, not only as a change of one."""
        return all(link.fits_weights for link in self.links)

    def is_lossless(self, layout: Layout, round_index: int) -> bool:
        """Return whether a round's messages of this layout arrive as they were sent, bit by bit."""
        is_exact = self.value_codec is None or self.value_codec.is_exact
        return is_exact and all(
            piece.kept == piece.size for piece in self._pieces(layout, round_index)
        )

    def num_bytes(self, layout: Layout, round_index: int) -> int:
        """Return how many bytes every message of this layout has in a round."""
        return chain_bytes(self.links, layout.shapes, round_index)

    def encode(self, params: Params, context: CodecContext) -> Packed:
        """Return the message's bytes.

        Raises:
            CodecError: If a number is not finite or does not fit into the type on the wire.
        """
        if not is_finite([params.flat]):
            raise CodecError("the update holds numbers that are not finite")
        sink = Sink()
        generator = context.generator()
        choose = None if self._support is None else self._support.chooser(context, sink)
        chosen = None if choose is None else torch.ones_like(params.flat, dtype=torch.bool)
        for piece in self._pieces(params.layout, context.round_index):
            values = piece.of(params.flat)
            if choose is not None and chosen is not None and piece.kept < piece.size:
                places = choose(values, piece.kept)
                piece.of(chosen).zero_()[places] = True
                values = self._scaled(values[places], piece)
            self._values.encode(values, generator, sink)
        return Packed(sink.packed(), chosen)

    def decode(self, packed: Tensor, layout: Layout, round_index: int) -> Params:
        """Return what the receiver of a message sees; entries that did not travel are zero.

        Raises:
            WireError: If the bytes are no message of this layout.
        """
        source = Source(packed)
        find = None if self._support is None else self._support.finder(source)
        flat = torch.zeros(layout.total, device=packed.device)
        for piece in self._pieces(layout, round_index):
            places = None
            if find is not None and piece.kept < piece.size:
                places = find(piece.size, piece.kept)
            values = self._values.decode(piece.kept, source)
            if places is None:
                piece.of(flat).copy_(values)
            else:
                piece.of(flat)[places] = values
        source.finish()
        return Params(layout, flat)

    @cached_property
    def _support(self) -> SupportCodec | None:
        return None if self.support is None else SUPPORT_CODECS.of(self.support)(self.support)

    @cached_property
    def _values(self) -> ValueCodec:
        if self.value_codec is None:
            return Raw()
        return VALUE_CODECS.of(self.value_codec)(self.value_codec)

    def _pieces(self, layout: Layout, round_index: int) -> Iterator[_Piece]:
        shapes = layout.shapes
        if self.support is not None and self.support.is_global:
            shapes = ((layout.total,),)
        start = 0
        for shape in shapes:
            size = math.prod(shape)
            kept = size if self.support is None else self.support.num_kept(shape, round_index)
            yield _Piece(start, size, kept)
            start += size

    def _scaled(self, values: Tensor, piece: _Piece) -> Tensor:
        factor = 1.0 if self._support is None else self._support.scale(piece.size, piece.kept)
        return values if factor == 1.0 else values * factor

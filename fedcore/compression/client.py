"""Compression as a client does it: memory in, bytes and memory out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from fedcore.compression.base import CodecContext
from fedcore.compression.chain import Chain, Packed
from fedcore.compression.memory import MEMORIES, ErrorFeedback, Memory, MemoryState
from fedcore.params import Layout, Params


@dataclass(frozen=True, eq=False)
class Compressed:
    """One compressed update.

    Attributes:
        data: Its bytes, uint8.
        memory: What the client keeps, if the update is applied.
    """

    data: Tensor
    memory: MemoryState


@dataclass(frozen=True)
class Compressor:
    """Compresses one client's updates, round after round."""

    chain: Chain

    def compress(self, delta: Params, memory: MemoryState, context: CodecContext) -> Compressed:
        """Return the update's bytes and the memory for the client's next round.

        Raises:
            CodecError: If the update cannot be encoded; the memory is as before.
        """
        if self._memory is None:
            return Compressed(self.chain.encode(delta, context).data, {})
        state = self._memory.enter(delta, memory, context)
        pending = delta.with_flat(self._memory.pending(state))
        packed = self.chain.encode(pending, context)
        seen = self._seen(pending, packed, context.round_index)
        return Compressed(packed.data, self._memory.leave(state, seen, packed.chosen))

    def restore(
        self, memory: MemoryState, data: Tensor, layout: Layout, round_index: int
    ) -> MemoryState:
        """Return the memory of a client whose last update, ``data``, was not applied."""
        if self._memory is None:
            return {}
        return self._memory.restore(memory, self.chain.decode(data, layout, round_index).flat)

    @cached_property
    def _memory(self) -> Memory | None:
        keeper = next((link for link in self.chain.links if link.has_memory), None)
        if keeper is None:
            return None
        special = MEMORIES.implementations.get(type(keeper))
        return ErrorFeedback() if special is None else special(keeper)

    def _seen(self, pending: Params, packed: Packed, round_index: int) -> Params:
        """Return what the memory takes as sent.

        As a rule what the receiver decodes. The error of an unbiased value codec is not fed back:
        it is right on average, and it may be larger than what it rounds, so a memory could grow.
        """
        codec = self.chain.value_codec
        if codec is not None and codec.is_unbiased:
            if packed.chosen is None:
                return pending
            return pending.with_flat(torch.where(packed.chosen, pending.flat, 0.0))
        decoded = self.chain.decode(packed.data, pending.layout, round_index)
        return decoded.to(pending.flat.device)

"""What a client keeps of its updates between rounds, so that nothing it leaves out is lost.

A memory turns the update into the vector to encode, and afterwards keeps what of that vector the
receiver does not see. It holds only if the message is applied: whoever refuses one calls
``restore``, which gives what was sent back to the client. Memories are in weight units, as the
updates themselves.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from fedcore.compression.base import CodecContext
from fedcore.params import Params
from fedcore.registry import Registry
from fedcore.spec.compression import CodecSpec, DgcSpec

#: Flat vectors by name; empty before a client's first message.
MemoryState = Mapping[str, Tensor]


class Memory(Protocol):
    """The two steps around encoding."""

    def enter(self, delta: Params, state: MemoryState, context: CodecContext) -> MemoryState:
        """Return the state with the update added; ``pending`` of it is the vector to encode."""
        ...

    def pending(self, state: MemoryState) -> Tensor:
        """Return the vector to encode, shape ``(total,)``."""
        ...

    def leave(self, state: MemoryState, seen: Params, chosen: Tensor | None) -> MemoryState:
        """Return the state once the receiver has seen ``seen``."""
        ...

    def restore(self, state: MemoryState, sent: Tensor) -> MemoryState:
        """Return the state with ``sent``, which the receiver did not apply, put back."""
        ...


MEMORIES: Registry[Callable[[CodecSpec], Memory]] = Registry(CodecSpec)


class ErrorFeedback:
    """The error memory ``e``: send C(delta + e), keep delta + e - C(delta + e).

    Source: Stich et al., NeurIPS 2018, arXiv:1809.07599, Algorithm 1; Karimireddy et al., ICML
    2019, arXiv:1901.09847, Algorithm 2.
    """

    def enter(self, delta: Params, state: MemoryState, context: CodecContext) -> MemoryState:  # noqa: ARG002
        """Return the update plus what is left of the earlier ones."""
        if "error" not in state:
            return {"error": delta.flat}
        return {"error": delta.flat + state["error"].to(delta.flat.device)}

    def pending(self, state: MemoryState) -> Tensor:
        """Return the sum."""
        return state["error"]

    def leave(self, state: MemoryState, seen: Params, chosen: Tensor | None) -> MemoryState:  # noqa: ARG002
        """Return what the receiver does not see."""
        return {"error": state["error"] - seen.flat}

    def restore(self, state: MemoryState, sent: Tensor) -> MemoryState:
        """Return the memory with the sent vector added."""
        return {"error": state["error"] + sent}


@MEMORIES.implements(DgcSpec)
@dataclass(frozen=True)
class MomentumCorrection:
    """Momentum ``u`` and its sum ``v``; both forget the entries that have been sent.

    Source: Lin et al., ICLR 2018, arXiv:1712.01887, Algorithm 4. Paper to code: the gradient is
    the update itself, which points downhill; the learning rate is already in it.
    """

    spec: DgcSpec

    def enter(self, delta: Params, state: MemoryState, context: CodecContext) -> MemoryState:
        """Clip, then accumulate with momentum."""
        gradient = self._clipped(delta.flat, context.cohort_size)
        nothing = torch.zeros_like(gradient)
        velocity = state.get("velocity", nothing).to(gradient.device)
        total = state.get("sum", nothing).to(gradient.device)
        if self.spec.nesterov:
            velocity = (velocity + gradient) * self.spec.momentum
            return {"velocity": velocity, "sum": total + (velocity + gradient)}
        velocity = velocity * self.spec.momentum + gradient
        return {"velocity": velocity, "sum": total + velocity}

    def pending(self, state: MemoryState) -> Tensor:
        """Return the sum."""
        return state["sum"]

    def leave(self, state: MemoryState, seen: Params, chosen: Tensor | None) -> MemoryState:
        """Take what was seen out of the sum, and the sent entries out of the momentum."""
        velocity = state["velocity"]
        if self.spec.factor_masking and chosen is not None:
            forgotten = chosen.clone()
            for name, shape in zip(seen.layout.names, seen.layout.shapes, strict=True):
                if len(shape) <= 1:  # sent whole in every round: plain momentum
                    seen.layout.view(forgotten, name).zero_()
            velocity = velocity.masked_fill(forgotten, 0.0)
        return {"velocity": velocity, "sum": state["sum"] - seen.flat}

    def restore(self, state: MemoryState, sent: Tensor) -> MemoryState:
        """Return the memory with the sent vector added to the sum."""
        return {**state, "sum": state["sum"] + sent}

    def _clipped(self, flat: Tensor, cohort_size: int) -> Tensor:
        if self.spec.clip_norm is None:
            return flat
        limit = self.spec.clip_norm / math.sqrt(cohort_size)
        norm = float(torch.linalg.vector_norm(flat, dtype=torch.float64))
        return flat * (limit / norm) if norm > limit else flat

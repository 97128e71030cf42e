"""What methods have in common whose server remembers the last update of every client."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import torch
from torch import Tensor

from fedcore.aggregators import Accumulator
from fedcore.aggregators.gathered import GatheredUpdates, gather, gather_both, in_order
from fedcore.algorithms.base import DELTA, Method
from fedcore.messages import Update
from fedcore.params import Params, Section, vector, zeros_like
from fedcore.spec.algorithms import AlgorithmSpec
from fedcore.state import MODEL, ClientState, RunState

#: Section of the state: the mean of what is remembered, kept up to date update by update.
RECALLED = "recalled"
#: Rounds after which that mean is added up afresh, against the drift of its last digits.
FRESH_EVERY = 100

SpecT = TypeVar("SpecT", bound=AlgorithmSpec)


@dataclass(frozen=True, eq=False)
class Remembering(Method[SpecT]):
    """``w <- w + server_lr * v``; v mixes fresh updates with remembered ones.

    Paper to code: y_i is the section ``delta`` of ``state.records[i]``; a client that was never
    seen has none, and counts as zero. Memory is clients x model.
    """

    @abstractmethod
    def share(self, client_id: int) -> float:
        """Return what a client counts in the objective, a_j; over all clients they add to 1."""

    @abstractmethod
    def direction(self, updates: Sequence[Update], state: RunState) -> Tensor:
        """Return v, shape ``(total,)``, from what was remembered before this round."""

    def initial_tensors(self, model: Params) -> Mapping[str, Section]:
        """Return the model and the mean of nothing, zero."""
        return {MODEL: model, RECALLED: zeros_like(model)}

    def start(self, state: RunState) -> Accumulator:  # noqa: ARG002
        """Return an accumulator without updates."""
        return GatheredUpdates({})

    def fold(self, accumulator: Accumulator, update: Update) -> Accumulator:
        """Return the accumulator with one more update."""
        return gather(accumulator, update)

    def merge(self, first: Accumulator, second: Accumulator) -> Accumulator:
        """Return the updates of both."""
        return gather_both(first, second)

    def finish(self, accumulator: Accumulator, state: RunState) -> RunState:
        """Return the state after the step; only then the new updates are remembered."""
        updates = in_order(accumulator)
        v = self.direction(updates, state)
        moved = state.model.with_flat(torch.add(state.model.flat, v, alpha=self.server_lr))
        fresh = {
            update.client_id: ClientState({DELTA: vector(update.sections, DELTA)})
            for update in updates
        }
        after = replace(state, records=state.records.updated(fresh))
        recalled = self._recalled(updates, state, after)
        return replace(after, tensors={**state.tensors, MODEL: moved, RECALLED: recalled})

    def news(self, update: Update, state: RunState) -> Tensor:
        """Return ``delta_i - y_i``, shape ``(total,)``."""
        delta = vector(update.sections, DELTA).flat
        record = state.records.get(update.client_id)
        return delta if record is None else delta - vector(record.sections, DELTA).flat

    def _recalled(self, updates: Sequence[Update], before: RunState, after: RunState) -> Params:
        """Return ``sum_j a_j y_j`` after a round."""
        old = vector(before.tensors, RECALLED)
        if (before.round_index + 1) % FRESH_EVERY == 0:
            total = torch.zeros_like(old.flat)
            for client_id, record in sorted(after.records.items()):
                total.add_(vector(record.sections, DELTA).flat, alpha=self.share(client_id))
            return old.with_flat(total)
        total = old.flat.clone()
        for update in updates:
            total.add_(self.news(update, before), alpha=self.share(update.client_id))
        return old.with_flat(total)

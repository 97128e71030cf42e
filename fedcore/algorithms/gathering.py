"""Methods whose server looks at updates one by one, not at what they come to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from fedcore.aggregators import Accumulator
from fedcore.aggregators.gathered import GatheredUpdates
from fedcore.algorithms.base import Method
from fedcore.messages import Update
from fedcore.spec.algorithms import AlgorithmSpec
from fedcore.state import RunState

SpecT = TypeVar("SpecT", bound=AlgorithmSpec)


@dataclass(frozen=True, eq=False)
class GatheringMethod(Method[SpecT], ABC):
    """Holds a cohort's updates until all are there; memory is theirs together."""

    def start(self, state: RunState) -> Accumulator:  # noqa: ARG002
        """Return an accumulator without updates."""
        return GatheredUpdates({})

    def fold(self, accumulator: Accumulator, update: Update) -> Accumulator:
        """Return the accumulator with one more update."""
        return self.merge(accumulator, _holding((update,)))

    def merge(self, first: Accumulator, second: Accumulator) -> Accumulator:
        """Return the updates of both."""
        return _holding((*_updates(first), *_updates(second)))

    def merge_all(self, parts: Sequence[Accumulator]) -> Accumulator:
        """Return the updates of all."""
        return _holding(tuple(update for part in parts for update in _updates(part)))

    def finish(self, accumulator: Accumulator, state: RunState) -> RunState:
        """Return the state after the server has used the updates."""
        updates = sorted(_updates(accumulator), key=lambda update: update.client_id)
        return self.server_train(state, updates)

    @abstractmethod
    def server_train(self, state: RunState, updates: Sequence[Update]) -> RunState:
        """Return the state after the server has worked with updates, in the order of their ids."""


def _holding(updates: tuple[Update, ...]) -> GatheredUpdates:
    weight = sum(update.weight for update in updates)
    return GatheredUpdates({}, weight=weight, count=len(updates), updates=updates)


def _updates(accumulator: Accumulator) -> tuple[Update, ...]:
    if not isinstance(accumulator, GatheredUpdates):
        raise TypeError("the accumulator was started by another method")
    return accumulator.updates

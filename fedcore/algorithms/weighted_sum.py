"""The server step of asynchronous methods: a sum of updates with weights that need not add to 1."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TypeVar

from fedcore.aggregators import Accumulator
from fedcore.algorithms.base import DELTA, Method
from fedcore.messages import Update
from fedcore.params import add, vector
from fedcore.spec.algorithms import AlgorithmSpec
from fedcore.state import MODEL, RunState

SpecT = TypeVar("SpecT", bound=AlgorithmSpec)


@dataclass(frozen=True, eq=False)
class WeightedSum(Method[SpecT]):
    """``w <- w + server_lr * sum_i d_i delta_i``, added to the model as it is now.

    The aggregator keeps the mean of the updates weighted by ``share``, and their weights' sum; so
    the sum is folded one update at a time, and equals a plain mean to the last bit where the shares
    add to ``total``.
    """

    @abstractmethod
    def share(self, update: Update) -> float:
        """Return ``total * d_i``."""

    @property
    @abstractmethod
    def total(self) -> float:
        """Return what shares are divided by."""

    def fold(self, accumulator: Accumulator, update: Update) -> Accumulator:
        """Return the accumulator with one more update, weighted by its share."""
        return super().fold(accumulator, replace(update, weight=self.share(update)))

    def finish(self, accumulator: Accumulator, state: RunState) -> RunState:
        """Return the state after the step; without updates, as it was."""
        if accumulator.count == 0:
            return state
        delta = vector(self.context.aggregator.finish(accumulator), DELTA)
        scale = self.server_lr * (accumulator.weight / self.total)
        return replace(
            state, tensors={**state.tensors, MODEL: add(state.model, delta, scale=scale)}
        )

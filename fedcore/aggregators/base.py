"""Streaming aggregation: updates are folded in one at a time and then forgotten."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from fedcore.messages import Update
from fedcore.params import Section
from fedcore.registry import Registry
from fedcore.spec.aggregators import AggregationSpec

PartT = TypeVar("PartT")


@dataclass(frozen=True, eq=False)
class Accumulator:
    """Updates folded so far; its tensors belong to it alone and may be overwritten by ``fold``.

    Attributes:
        sections: The partial result, empty before the first update.
        weight: Sum of weights.
        count: Number of updates.
    """

    sections: Mapping[str, Section]
    weight: float = 0.0
    count: int = 0


class Aggregator(Protocol):
    """A rule that combines updates.

    Folding in a fixed order gives the same bits every time; another order, or merging partial
    results, agrees up to rounding. An accumulator that was passed in must not be used afterwards.
    """

    @property
    def remembers(self) -> bool:
        """Return whether a round starts from what the last one came to."""

    def start(self, previous: Mapping[str, Section]) -> Accumulator:
        """Return an accumulator without updates.

        Args:
            previous: What the last round's updates were combined to; empty before the first.
        """

    def fold(self, accumulator: Accumulator, update: Update) -> Accumulator:
        """Return the accumulator with one more update."""

    def merge(self, first: Accumulator, second: Accumulator) -> Accumulator:
        """Return the accumulator of the updates of both."""

    def merge_all(self, parts: Sequence[Accumulator]) -> Accumulator:
        """Return the accumulator of the updates of all; at least one part is given.

        Bit for bit what ``merge_in_tree`` makes of them.
        """

    def finish(self, accumulator: Accumulator) -> Mapping[str, Section]:
        """Return the combined sections; at least one update was folded."""


class AggregatorFactory(Protocol):
    """Makes the aggregator that a spec describes."""

    def __call__(self, spec: AggregationSpec) -> Aggregator:
        """Return the aggregator."""


AGGREGATORS: Registry[AggregatorFactory] = Registry(AggregationSpec)


def merge_in_tree(parts: Sequence[PartT], merge: Callable[[PartT, PartT], PartT]) -> PartT:
    """Return all parts as one, merging neighbours pair by pair.

    Who is paired with whom depends on the number of parts alone, never on when they arrived. Runs
    of a power of two of neighbours that start at a multiple of it are branches of the tree: merging
    them first, each in its own tree, gives the same result.

    Raises:
        ValueError: If there is no part.
    """
    if not parts:
        raise ValueError("there is nothing to merge")
    level = list(parts)
    while len(level) > 1:
        odd = level[-1:] if len(level) % 2 else []
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [merge(first, second) for first, second in pairs] + odd
    return level[0]

"""Rules that need all updates of a cohort at the same time.

Memory is that of the cohort's updates together, cohort x model, instead of one model; the estimate
of a spec says so. Each section of the updates is treated by itself, as one vector, in the order of
the clients' ids, so that the result does not depend on who was first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor

from fedcore.aggregators.base import Accumulator, merge_in_tree
from fedcore.errors import AggregationError, TooFewUpdatesError
from fedcore.messages import Update
from fedcore.params import Params, Section
from fedcore.spec.aggregators import AggregationSpec


class Rule(Protocol):
    """Combines one section of a cohort's updates."""

    def __call__(self, vectors: Sequence[Tensor], previous: Tensor | None, /) -> Tensor:
        """Return one vector for many, all of shape ``(total,)``.

        Args:
            vectors: One per client, in the order of their ids.
            previous: The last round's result, for rules that remember it.
        """


@dataclass(frozen=True, eq=False)
class GatheredUpdates(Accumulator):
    """Updates as they are; ``sections`` stays empty."""

    updates: tuple[Update, ...] = ()
    previous: Mapping[str, Section] = field(default_factory=dict)


@dataclass(frozen=True)
class Gathering:
    """Holds all updates, then applies a rule to each section."""

    spec: AggregationSpec
    rule: Rule
    remembers: bool = False

    def start(self, previous: Mapping[str, Section]) -> Accumulator:
        """Return an accumulator without updates."""
        return GatheredUpdates({}, previous=previous)

    def fold(self, accumulator: Accumulator, update: Update) -> Accumulator:
        """Return the accumulator with one more update."""
        return gather(accumulator, update)

    def merge(self, first: Accumulator, second: Accumulator) -> Accumulator:
        """Return the updates of both."""
        return gather_both(first, second)

    def merge_all(self, parts: Sequence[Accumulator]) -> Accumulator:
        """Return the updates of all."""
        return merge_in_tree(parts, self.merge)

    def finish(self, accumulator: Accumulator) -> Mapping[str, Section]:
        """Return what the rule makes of the updates.

        Raises:
            TooFewUpdatesError: If there are fewer than the rule needs.
            AggregationError: If the updates hold something that the rule cannot combine.
        """
        gathered = _as_gathered(accumulator)
        check_enough(self.spec, len(gathered.updates))
        updates = in_order(gathered)
        return {
            name: self._combine(name, updates, gathered.previous) for name in updates[0].sections
        }

    def _combine(
        self, name: str, updates: Sequence[Update], previous: Mapping[str, Section]
    ) -> Section:
        sections = [vector_section(name, update.sections[name]) for update in updates]
        before = vector_section(name, previous[name]).flat if name in previous else None
        return sections[0].with_flat(self.rule([section.flat for section in sections], before))


def vector_section(name: str, section: Section) -> Params:
    """Return a section that is one vector.

    Raises:
        AggregationError: If it is not.
    """
    if not isinstance(section, Params):
        raise AggregationError(
            f"section {name} of the updates is no vector of parameters",
            field="aggregation.kind",
            fix="Use aggregation mean with this method.",
        )
    return section


def check_enough(spec: AggregationSpec, count: int) -> None:
    """Refuse a cohort that is too small for a rule.

    Raises:
        TooFewUpdatesError: If it is.
    """
    needed = spec.num_required(count)
    if count < needed:
        raise TooFewUpdatesError(
            f"aggregation {spec.kind} needs {needed} updates and got {count}",
            field="aggregation",
            fix="Sample more clients, or assume fewer bad ones.",
        )


def gather(accumulator: Accumulator, update: Update) -> Accumulator:
    """Return the accumulator with one more update."""
    return _extended(_as_gathered(accumulator), (update,))


def gather_both(first: Accumulator, second: Accumulator) -> Accumulator:
    """Return the updates of both."""
    return _extended(_as_gathered(first), _as_gathered(second).updates)


def in_order(accumulator: Accumulator) -> list[Update]:
    """Return all updates by their clients' ids, so that nobody's speed changes a last digit."""
    return sorted(_as_gathered(accumulator).updates, key=lambda update: update.client_id)


def _as_gathered(accumulator: Accumulator) -> GatheredUpdates:
    if not isinstance(accumulator, GatheredUpdates):
        raise TypeError("the accumulator was started by another aggregator")
    return accumulator


def _extended(gathered: GatheredUpdates, more: tuple[Update, ...]) -> GatheredUpdates:
    updates = (*gathered.updates, *more)
    return GatheredUpdates(
        {},
        weight=sum(update.weight for update in updates),
        count=len(updates),
        updates=updates,
        previous=gathered.previous,
    )

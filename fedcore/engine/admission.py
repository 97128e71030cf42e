"""The gate that every update passes before it can touch the model."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from fedcore.errors import WireError
from fedcore.messages import Update
from fedcore.params import is_finite
from fedcore.wire.schema import Schema, schema_of


@dataclass(frozen=True, eq=False)
class Admission:
    """What the gate says to an update: either it is let in, or there is a reason why not.

    Attributes:
        update: The update as the method expects it.
        refusal: The reason.
    """

    update: Update | None
    refusal: str | None


def _as_it_is(update: Update) -> Update:
    return update


@dataclass
class Gate:
    """Checks the updates of one round, from cheap to expensive.

    A refused update has changed nothing, and the same client may send a sound one.

    Attributes:
        cohort: Who was asked for an update.
        base_version: Version of the model that they were given.
        expected: What an update looks like.
        open: Decodes an update of that form; raises WireError if it cannot.
        admitted: Who was let in so far.
    """

    cohort: Collection[int]
    base_version: int
    expected: Schema
    open: Callable[[Update], Update] = _as_it_is
    admitted: set[int] = field(default_factory=set)

    def refusal(self, update: Update) -> str | None:
        """Return why an update is refused; None lets it in."""
        return self.admit(update).refusal

    def admit(self, update: Update) -> Admission:
        """Return an update that was let in, decoded, or the reason why it was not."""
        reason = self._sender_problem(update) or self._content_problem(update)
        if reason is not None:
            return Admission(None, reason)
        try:
            opened = self.open(update)
        except WireError as error:
            return Admission(None, f"damaged: {error}")
        self.admitted.add(update.client_id)
        return Admission(opened, None)

    def _sender_problem(self, update: Update) -> str | None:
        if update.client_id not in self.cohort:
            return "unknown client: it was not asked in this round"
        if update.client_id in self.admitted:
            return "duplicate: its update was used already"
        if update.base_version != self.base_version:
            return (
                f"stale: made from version {update.base_version} of the model, "
                f"not {self.base_version}"
            )
        return None

    def _content_problem(self, update: Update) -> str | None:
        difference = self.expected.difference(schema_of(update))
        if difference is not None:
            return f"wrong shape: {difference}"
        if not (math.isfinite(update.weight) and update.weight > 0):
            return f"bad weight: {update.weight}"
        numbers_are_finite = all(map(math.isfinite, update.scalars.values()))
        if not numbers_are_finite or not is_finite(update.blocks()):
            return "not finite: it holds NaN or infinite numbers"
        return None

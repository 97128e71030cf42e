"""The gate that every update passes before it can touch the model."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

import torch

from fedcore.errors import WireError
from fedcore.messages import Update
from fedcore.params import is_finite
from fedcore.wire.schema import Schema, schema_of

#: How many of the latest updates say how long an update is.
NUM_NORMS = 101
#: An update may be so many times as long as the middle one of the latest.
_LONGER = 1000.0
_NOT_FINITE = "not finite: it holds NaN or infinite numbers"


@dataclass(frozen=True, eq=False)
class Admission:
    """What the gate says to an update: either it is let in, or there is a reason why not.

    Attributes:
        update: The update as the method expects it.
        refusal: The reason.
        norm: Length of the update, all sections together; None if it was not decoded.
    """

    update: Update | None
    refusal: str | None
    norm: float | None = None


def _as_it_is(update: Update) -> Update:
    return update


def _no_objection(update: Update) -> str | None:  # noqa: ARG001
    return None


@dataclass
class Gate:
    """Checks the updates of one round, from cheap to expensive.

    A refused update has changed nothing, and the same client may send a sound one.

    Attributes:
        expected: Who was asked for an update, and what it looks like.
        base_version: Version of the model that they were given.
        open: Decodes an update of that form; raises WireError if it cannot.
        objection: Says why the method cannot use an update, if that is so.
        max_norm: Longest update; one flipped bit of an exponent makes a number finite and huge.
        admitted: Who was let in so far.
    """

    expected: Mapping[int, Schema]
    base_version: int
    open: Callable[[Update], Update] = _as_it_is
    objection: Callable[[Update], str | None] = _no_objection
    max_norm: float | None = None
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
        norm = _norm(opened)
        reason = self._size_problem(opened, norm) or self.objection(opened)
        if reason is not None:
            return Admission(None, reason, norm)
        self.admitted.add(update.client_id)
        return Admission(opened, None, norm)

    def _sender_problem(self, update: Update) -> str | None:
        if update.client_id not in self.expected:
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
        difference = self.expected[update.client_id].difference(schema_of(update))
        if difference is not None:
            return f"wrong shape: {difference}"
        if not (math.isfinite(update.weight) and update.weight > 0):
            return f"bad weight: {update.weight}"
        if not all(map(math.isfinite, update.scalars.values())):
            return _NOT_FINITE
        return None

    def _size_problem(self, update: Update, norm: float) -> str | None:
        if not math.isfinite(norm) and not is_finite(update.blocks()):
            return _NOT_FINITE
        if self.max_norm is not None and norm > self.max_norm:
            return f"too long: its length is {norm:.3g}, the limit {self.max_norm:.3g}"
        return None


def _norm(update: Update) -> float:
    """Return the length of an update; it is finite if all numbers are, unless they are huge.

    So one pass over the numbers measures them and finds NaN.
    """
    squares = 0.0
    for block in update.blocks():
        if block.is_floating_point():
            flat = block.reshape(-1)
            squares += float(torch.dot(flat, flat))
    return math.sqrt(squares) if squares >= 0 else squares  # NaN stays NaN


def longest_allowed(norms: Sequence[float]) -> float | None:
    """Return the length above which an update must be damaged, given those of the latest ones."""
    middle = median(norms) if norms else 0.0
    return _LONGER * middle if middle > 0 else None

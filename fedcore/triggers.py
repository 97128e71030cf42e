"""When the server makes its next step: all that tells synchronous from asynchronous methods apart.

A round is one step of the server. It begins when clients that have nothing to do are given the
model, and ends when the trigger says so; clients that are then still at work go on with the model
that they have, unless the trigger dismisses them. Times are those of the simulated clients, or real
ones where clients are sites.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

#: Sums of times differ in their last digits; an update this late is in time.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Cut:
    """Where a round ends.

    Attributes:
        num_due: How many updates it uses, those that arrive first.
        seconds: How long it lasts.
    """

    num_due: int
    seconds: float


@dataclass(frozen=True)
class Wait:
    """When a round of real clients ends, whose arrivals nobody knows beforehand.

    Attributes:
        count: How many updates end it; None waits for everybody.
        seconds: How long it lasts, whatever arrives; None if arrivals end it.
    """

    count: int | None = None
    seconds: float | None = None


class Trigger(Protocol):
    """Ends rounds."""

    @property
    def wait(self) -> Wait:
        """Return when a round of real clients ends."""

    @property
    def dismisses(self) -> bool:
        """Return whether clients that are not in time are let go, their work lost."""

    @property
    def allows_none(self) -> bool:
        """Return whether a round may end without any update."""

    @property
    def restarts_at_once(self) -> bool:
        """Return whether a client that has delivered is replaced before the round ends."""

    def cut(self, arrivals: Sequence[float], deadline_s: float | None) -> Cut:
        """Return where a round ends.

        Args:
            arrivals: When updates arrive, in seconds after the beginning, the soonest first;
                clients that are lost on the way are not among them.
            deadline_s: When a round ends at the latest, for triggers that dismiss.
        """


@dataclass(frozen=True)
class AllArrived:
    """Waits for everybody, or until the deadline: a synchronous round."""

    dismisses = True
    allows_none = False
    restarts_at_once = False
    wait = Wait()

    def cut(self, arrivals: Sequence[float], deadline_s: float | None) -> Cut:
        """Return the last arrival, or the deadline if somebody misses it."""
        if deadline_s is None or not arrivals or arrivals[-1] <= deadline_s:
            return Cut(len(arrivals), max(arrivals, default=0.0))
        return Cut(sum(seconds <= deadline_s for seconds in arrivals), deadline_s)


@dataclass(frozen=True)
class Buffered:
    """Waits for a number of updates; one of them is a step at every arrival.

    Attributes:
        size: How many.
        restarts_at_once: Whether a client that has delivered is replaced before the round ends.
    """

    size: int
    restarts_at_once: bool = False

    dismisses = False
    allows_none = False

    @property
    def wait(self) -> Wait:
        """Return that the buffer ends it."""
        return Wait(count=self.size)

    def cut(self, arrivals: Sequence[float], deadline_s: float | None) -> Cut:  # noqa: ARG002
        """Return the arrival that fills the buffer; the last one if it cannot be filled."""
        num_due = min(self.size, len(arrivals))
        return Cut(num_due, arrivals[num_due - 1] if num_due else 0.0)


@dataclass(frozen=True)
class Ticking:
    """Makes a step at fixed times, with whatever has arrived since the last one.

    Attributes:
        seconds: Time between two steps.
    """

    seconds: float

    dismisses = False
    allows_none = True
    restarts_at_once = False

    @property
    def wait(self) -> Wait:
        """Return that the tick ends it."""
        return Wait(seconds=self.seconds)

    def cut(self, arrivals: Sequence[float], deadline_s: float | None) -> Cut:  # noqa: ARG002
        """Return the next tick."""
        latest = self.seconds * (1 + TOLERANCE)
        return Cut(sum(seconds <= latest for seconds in arrivals), self.seconds)

"""The clock of upkeep, as a thread of the upkeep worker.

Celery's own reckons by the time of day: set back by an hour, it sleeps for an hour, and nothing is
repaired meanwhile. This one counts seconds that have passed. Several upkeep workers each have a
clock: what it starts is idempotent, so nobody has to be elected.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Event, Thread
from time import monotonic
from typing import Any

from celery import bootsteps
from django.conf import settings

from webapp.jobs.queue import DISCARD_OLD, RECONCILE, send_upkeep

_DISCARD_S = 600.0


class Clock:
    """A thread that has each task done again and again, at once and then after its interval."""

    def __init__(
        self, intervals_s: Mapping[str, float], send: Callable[[str, float], None]
    ) -> None:
        """Prepare; ``send`` is called with a task and its interval whenever the task is due."""
        self._intervals_s = intervals_s
        self._send = send
        self._ended = Event()
        self._thread = Thread(target=self._run, name="clock", daemon=True)

    def start(self) -> None:
        """Begin to count."""
        self._thread.start()

    def stop(self) -> None:
        """Start nothing more; return when what is being sent has been sent."""
        self._ended.set()
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        due = dict.fromkeys(self._intervals_s, monotonic())
        while due and not self._ended.wait(max(0.0, min(due.values()) - monotonic())):
            for task, interval_s in self._intervals_s.items():
                if due[task] <= monotonic():
                    self._send(task, interval_s)
                    due[task] = monotonic() + interval_s


class BeatStep(bootsteps.StartStopStep):
    """Starts and stops the clock together with its worker."""

    requires = ("celery.worker.components:Pool",)
    clock: Clock | None = None

    def start(self, parent: Any) -> None:
        """Start the clock."""
        del parent
        self.clock = Clock(intervals_s(settings.LEASE_S), _send)
        self.clock.start()

    def stop(self, parent: Any) -> None:
        """Stop the clock."""
        del parent
        if self.clock is not None:
            self.clock.stop()
            self.clock = None

    terminate = stop


def intervals_s(lease_s: float) -> dict[str, float]:
    """Return what happens how often: a silent worker's run is free soon after its lease's end."""
    return {RECONCILE: max(1.0, lease_s / 5), DISCARD_OLD: _DISCARD_S}


def _send(task: str, interval_s: float) -> None:
    # A turn that nobody had time for is replaced by the next one.
    send_upkeep(task, expires_s=2 * interval_s)

"""The clock of upkeep, as a thread of the upkeep worker.

Celery's ``-B`` forks a process, which would outlive a worker that was killed. Several upkeep
workers each have a clock: what it starts is idempotent, so nobody has to be elected.
"""

from __future__ import annotations

from typing import Any

from celery import bootsteps
from celery.beat import EmbeddedService
from django.conf import settings

from webapp.jobs.queue import DISCARD_OLD, RECONCILE, SEND_NOTICES, UPKEEP_QUEUE

_NOTICES_S = 10.0
_DISCARD_S = 600.0

IN_MEMORY = "celery.beat:Scheduler"


class BeatStep(bootsteps.StartStopStep):
    """Starts and stops the clock together with its worker."""

    requires = ("celery.worker.components:Pool",)
    beat: Any = None

    def start(self, parent: Any) -> None:
        """Start the clock."""
        parent.app.conf.beat_schedule = schedule(settings.LEASE_S)
        # The default scheduler keeps a file in the working directory; nothing here needs one.
        self.beat = EmbeddedService(parent.app, thread=True, scheduler_cls=IN_MEMORY)
        self.beat.start()

    def stop(self, parent: Any) -> None:
        """Stop the clock."""
        del parent
        if self.beat is not None:
            self.beat.stop()
            self.beat = None

    terminate = stop


def schedule(lease_s: float) -> dict[str, Any]:
    """Return what happens when: a silent worker's run is free soon after its lease has ended."""
    interval_s = max(1.0, lease_s / 5)
    return {
        "reconcile": {
            "task": RECONCILE,
            "schedule": interval_s,
            # A round of upkeep that nobody ran in time is replaced by the next one.
            "options": {"queue": UPKEEP_QUEUE, "expires": 2 * interval_s},
        },
        "notices": _every(SEND_NOTICES, _NOTICES_S),
        "old rows": _every(DISCARD_OLD, _DISCARD_S),
    }


def _every(task: str, interval_s: float) -> dict[str, Any]:
    options = {"queue": UPKEEP_QUEUE, "expires": interval_s}
    return {"task": task, "schedule": interval_s, "options": options}

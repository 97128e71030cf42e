"""The clock of upkeep, as a thread of the upkeep worker.

Celery's ``-B`` forks a process, which would outlive a worker that was killed. Several upkeep
workers each have a clock: what it starts is idempotent, so nobody has to be elected.
"""

from __future__ import annotations

from typing import Any

from celery import bootsteps
from celery.beat import EmbeddedService


class BeatStep(bootsteps.StartStopStep):
    """Starts and stops the clock together with its worker."""

    requires = ("celery.worker.components:Pool",)
    beat: Any = None

    def start(self, parent: Any) -> None:
        """Start the clock."""
        self.beat = EmbeddedService(parent.app, thread=True)
        self.beat.start()

    def stop(self, parent: Any) -> None:
        """Stop the clock."""
        del parent
        if self.beat is not None:
            self.beat.stop()
            self.beat = None

    terminate = stop

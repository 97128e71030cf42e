"""When a run's state is saved, and how: often enough for a crash, seldom enough for the run."""

from __future__ import annotations

from time import monotonic

import structlog

from fedcore.engine import Engine
from fedcore.errors import RetryableError
from webapp.artifacts.services import StoredFile
from webapp.jobs import services
from workers.turns import Turn

log = structlog.get_logger(__name__)

#: Saving may take at most this share of the time: a large model is saved less often.
SAVING_SHARE = 0.02


class Saver:
    """The checkpoints of one turn with a run."""

    def __init__(self, turn: Turn, *, every_s: float) -> None:
        self._turn = turn
        self._every_s = every_s
        checkpoint = turn.lease.checkpoint
        self._saved_round = checkpoint.round_index if checkpoint else 0
        self._saved_at = monotonic()
        self._cost_s = 0.0

    def is_due(self) -> bool:
        """Return whether a crash now would repeat more work than it should."""
        pause_s = max(self._every_s, self._cost_s / SAVING_SHARE)
        return monotonic() - self._saved_at >= pause_s

    def save(self, engine: Engine) -> None:
        """Save the state of the run; a failure costs repeated work, not the run.

        Raises:
            LeaseLostError: If the run belongs to another worker.
        """
        if engine.round_index == self._saved_round:
            return
        started = monotonic()
        try:
            stored = self._turn.store_state(engine)
        except (OSError, RetryableError) as error:
            self._say_not_saved(error)
        else:
            self._record(stored, engine.round_index)
        self._saved_at = monotonic()
        self._cost_s = self._saved_at - started

    def _record(self, stored: StoredFile, round_index: int) -> None:
        self._turn.record_state(
            stored,
            lambda: services.record_checkpoint(
                lease=self._turn.lease,
                key=stored.key,
                size_bytes=stored.size_bytes,
                sha256=stored.sha256,
                round_index=round_index,
            ),
        )
        self._saved_round = round_index

    def _say_not_saved(self, error: Exception) -> None:
        log.warning("checkpoint not saved", reason=str(error))
        message = f"The checkpoint could not be saved, training goes on: {error}"
        self._turn.patience.with_database(
            lambda: services.log_message(lease=self._turn.lease, level="warning", message=message)
        )

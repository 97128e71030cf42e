"""When a run's state is saved, and how: often enough for a crash, seldom enough for the run."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import structlog

from fedcore.engine import Engine
from fedcore.errors import RetryableError
from webapp.artifacts.services import StoredFile, discard_file, store_checkpoint
from webapp.jobs import services
from webapp.jobs.services import Lease, LeaseLostError
from workers.patience import Patience

log = structlog.get_logger(__name__)

#: Saving may take at most this share of the time: a large model is saved less often.
SAVING_SHARE = 0.02


class Saver:
    """The checkpoints of one turn with a run."""

    def __init__(self, lease: Lease, patience: Patience, *, every_s: float) -> None:
        self._lease = lease
        self._patience = patience
        self._every_s = every_s
        self._saved_round = lease.checkpoint.round_index if lease.checkpoint else 0
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
            with TemporaryDirectory(prefix="roundhouse-") as folder:
                engine.save(Path(folder))
                stored = store_checkpoint(run_id=self._lease.run_id, folder=Path(folder))
        except (OSError, RetryableError) as error:
            self._say_not_saved(error)
        else:
            self._record(stored, engine.round_index)
        self._saved_at = monotonic()
        self._cost_s = self._saved_at - started

    def _record(self, stored: StoredFile, round_index: int) -> None:
        try:
            self._patience.with_database(
                lambda: services.record_checkpoint(
                    lease=self._lease,
                    key=stored.key,
                    size_bytes=stored.size_bytes,
                    sha256=stored.sha256,
                    round_index=round_index,
                )
            )
        except LeaseLostError:
            discard_file(key=stored.key)
            raise
        self._saved_round = round_index

    def _say_not_saved(self, error: Exception) -> None:
        log.warning("checkpoint not saved", reason=str(error))
        message = f"The checkpoint could not be saved, training goes on: {error}"
        self._patience.with_database(
            lambda: services.log_message(lease=self._lease, level="warning", message=message)
        )

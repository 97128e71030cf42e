"""One worker's turn with one run: train rounds, record each, stop where somebody asks.

The order on every path is: record what is done, save what is needed to go on, change the state.
A crash between any two of these repeats work and loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import Enum, auto
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from time import monotonic
from typing import TypeVar

import structlog
from django.db import InterfaceError, OperationalError, connection

from fedcore.engine import Engine, Interrupted, RoundReport
from fedcore.errors import RetryableError
from webapp.artifacts.services import StoredFile, discard_file, store_checkpoint, store_model
from webapp.jobs import selectors, services
from webapp.jobs.services import Lease, LeaseLostError
from webapp.jobs.states import RequestedAction
from workers.engines import EngineCache
from workers.failures import failure_of
from workers.heartbeat import Heartbeat
from workers.retry import RetryPolicy
from workers.stopping import is_stopping

log = structlog.get_logger(__name__)

#: A turn ends after so long even if nobody waits: brokers close a channel, or deliver again, when
#: a message stays unacknowledged for half an hour.
LONGEST_TURN_S = 600.0
#: Saving may take at most this share of the time: a large model is saved less often.
SAVING_SHARE = 0.02

T = TypeVar("T")


class Ending(Enum):
    """Why a turn is over."""

    FINISHED = auto()
    PAUSED = auto()
    CANCELLED = auto()
    HANDED_OVER = auto()
    FAILED = auto()


@dataclass(frozen=True)
class Timing:
    """How long a turn lasts, and how much training a crash may repeat."""

    slice_s: float
    checkpoint_every_s: float
    retries: RetryPolicy


class Slice:
    """A turn with a run that this worker holds the lease of."""

    def __init__(
        self,
        lease: Lease,
        heartbeat: Heartbeat,
        *,
        engines: EngineCache,
        queue: str,
        timing: Timing,
    ) -> None:
        self._lease = lease
        self._heartbeat = heartbeat
        self._engines = engines
        self._queue = queue
        self._timing = timing
        self._engine: Engine | None = None
        self._started = self._looked = self._saved = monotonic()
        self._saved_round = lease.checkpoint.round_index if lease.checkpoint else 0
        self._saving_cost_s = 0.0

    def work(self) -> Ending:
        """Train until there is a reason to end, and act on it.

        Raises:
            LeaseLostError: If the run belongs to another worker.
            OperationalError: If the database stays away; the run is then recovered later.
        """
        try:
            engine = self._engine = self._with_retries(lambda: self._engines.open(self._lease))
            ending = self._train(engine)
            self._end(engine, ending)
        except (LeaseLostError, OperationalError, InterfaceError):
            self._engines.drop(self._lease.run_id)
            raise
        except Exception as error:  # noqa: BLE001 (whatever it is, the run's page must say so)
            ending = self._end_with(error)
        log.info("turn ended", ending=ending.name.lower())
        return ending

    # --- training ---------------------------------------------------------------------------------

    def _train(self, engine: Engine) -> Ending:
        self._write(lambda: self._announce(engine))
        while not engine.is_finished:
            try:
                report = self._with_retries(lambda: self._train_round(engine))
            except Interrupted:
                log.info("round interrupted", round_index=engine.round_index)
            else:
                self._record(report)
                self._save_if_due(engine)
            ending = self._reason_to_end()
            if ending is not None:
                return ending
        return Ending.FINISHED

    def _announce(self, engine: Engine) -> None:
        table = [
            {
                "client_id": row.client_id,
                "num_samples": row.num_train,
                "class_counts": list(row.class_counts),
            }
            for row in engine.client_table().clients
        ]
        services.mark_running(lease=self._lease, executor=engine.executor, client_table=table)

    def _train_round(self, engine: Engine) -> RoundReport:
        return engine.run_round(should_stop=self._heartbeat.should_stop)

    def _record(self, report: RoundReport) -> None:
        row = report.to_json()
        self._write(lambda: services.record_round(lease=self._lease, report=row))

    def _reason_to_end(self) -> Ending | None:
        if self._heartbeat.is_lost:
            raise LeaseLostError("The lease was lost while training.")
        if self._heartbeat.requested is RequestedAction.CANCEL:
            return Ending.CANCELLED
        if self._heartbeat.requested is RequestedAction.PAUSE:
            return Ending.PAUSED
        return Ending.HANDED_OVER if is_stopping() or self._is_turn_over() else None

    def _is_turn_over(self) -> bool:
        now = monotonic()
        if now - self._started > LONGEST_TURN_S:
            return True
        if now - self._looked < self._timing.slice_s:
            return False
        self._looked = now
        return self._write(lambda: selectors.others_waiting(self._queue))

    # --- ending -----------------------------------------------------------------------------------

    def _end(self, engine: Engine, ending: Ending) -> None:
        self._save(engine)
        if ending is Ending.FINISHED:
            self._with_retries(lambda: self._finish(engine))
        else:
            self._settle(ending)

    def _settle(self, ending: Ending) -> None:
        act = {
            Ending.PAUSED: services.pause_run,
            Ending.CANCELLED: services.cancel_run,
            Ending.HANDED_OVER: services.release_lease,
        }[ending]
        self._write(lambda: act(lease=self._lease))
        if ending is not Ending.HANDED_OVER:
            self._engines.drop(self._lease.run_id)

    def _finish(self, engine: Engine) -> None:
        with TemporaryDirectory(prefix="roundhouse-") as folder:
            files = engine.export_model(Path(folder))
            stored = [store_model(run_id=self._lease.run_id, path=path) for path in files]
        self._write(
            lambda: services.finish_run(
                lease=self._lease,
                metrics=engine.metrics,
                totals=asdict(engine.totals),
                model_artifacts=stored,
            )
        )
        self._engines.drop(self._lease.run_id)

    def _end_with(self, error: Exception) -> Ending:
        """Fail the run, unless its user or this process wanted to stop just then."""
        ending = self._reason_to_end() if isinstance(error, RetryableError) else None
        if ending is None:
            ending = Ending.FAILED
            round_index = self._engine.round_index if self._engine else None
            failure = failure_of(error, round_index=round_index)
            self._write(lambda: services.fail_run(lease=self._lease, failure=failure))
            self._engines.drop(self._lease.run_id)
        else:
            self._settle(ending)
        return ending

    # --- checkpoints ------------------------------------------------------------------------------

    def _save_if_due(self, engine: Engine) -> None:
        pause_s = max(self._timing.checkpoint_every_s, self._saving_cost_s / SAVING_SHARE)
        if monotonic() - self._saved >= pause_s:
            self._save(engine)

    def _save(self, engine: Engine) -> None:
        """Save the state of the run; a failure costs repeated work, not the run."""
        round_index = engine.round_index
        if round_index == self._saved_round:
            return
        started = monotonic()
        try:
            with TemporaryDirectory(prefix="roundhouse-") as folder:
                engine.save(Path(folder))
                stored = store_checkpoint(run_id=self._lease.run_id, folder=Path(folder))
        except (OSError, RetryableError) as error:
            self._say_not_saved(error)
        else:
            self._record_checkpoint(stored, round_index)
        self._saved = monotonic()
        self._saving_cost_s = self._saved - started

    def _record_checkpoint(self, stored: StoredFile, round_index: int) -> None:
        try:
            self._write(
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
        self._write(
            lambda: services.log_message(lease=self._lease, level="warning", message=message)
        )

    # --- trying again -----------------------------------------------------------------------------

    def _with_retries(self, action: Callable[[], T]) -> T:
        """Return what the action returns; pause and try again where that can help."""
        retries = 0
        while True:
            try:
                return action()
            except RetryableError as error:
                if not self._timing.retries.allows(retries) or self._heartbeat.should_stop():
                    raise
                pause_s = self._timing.retries.pause_s(retries)
                log.warning("trying again", reason=str(error), pause_s=pause_s)
                self._heartbeat.wait(pause_s)
                retries += 1

    def _write(self, action: Callable[[], T]) -> T:
        """Return what the action returns, waiting for a database that is away for a moment.

        Every service can be repeated: its transaction either happened as a whole or not at all.
        """
        retries = 0
        while True:
            try:
                return action()
            except (OperationalError, InterfaceError) as error:
                connection.close()
                if not self._timing.retries.allows(retries) or self._heartbeat.is_lost:
                    raise
                log.warning("database away", reason=str(error))
                Event().wait(self._timing.retries.pause_s(retries))
                retries += 1

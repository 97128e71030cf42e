"""One worker's turn with one run: train rounds, record each, stop where somebody asks.

The order on every path is: record what is done, save what is needed to go on, change the state.
A crash between any two of these repeats work and loses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, transaction

from fedcore.engine import Engine, Interrupted, RoundReport
from webapp.jobs import selectors, services
from webapp.jobs.services import Lease, LeaseLostError
from workers.closing import Closing, Ending, clients_of
from workers.engines import EngineCache
from workers.heartbeat import Heartbeat
from workers.patience import Patience
from workers.recorder import Recorder, Row
from workers.retry import RetryPolicy
from workers.saver import Saver

log = structlog.get_logger(__name__)

#: A turn ends after so long even if nobody waits: brokers close a channel, or deliver again, when
#: a message stays unacknowledged for half an hour.
LONGEST_TURN_S = 600.0


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
        timing: Timing,
    ) -> None:
        self._lease = lease
        self._heartbeat = heartbeat
        self._engines = engines
        self._slice_s = timing.slice_s
        self._patience = Patience(heartbeat, timing.retries)
        self._saver = Saver(lease, self._patience, every_s=timing.checkpoint_every_s)
        self._closing = Closing(lease, heartbeat, engines, self._patience)
        self._engine: Engine | None = None
        self._executor = ""
        self._started = self._looked = monotonic()

    def work(self) -> Ending:
        """Train until there is a reason to end, and act on it.

        Raises:
            LeaseLostError: If the run belongs to another worker.
            OperationalError: If the database stays away; the run is then recovered later.
        """
        try:
            ending = self._work()
        except (LeaseLostError, OperationalError, InterfaceError):
            self._engines.drop(self._lease.run_id)
            raise
        except Exception as error:  # noqa: BLE001 (whatever it is, the run's page must say so)
            round_index = self._engine.round_index if self._engine else None
            ending = self._closing.end_with(error, self._reason_to_end, round_index)
        log.info("turn ended", ending=ending.name.lower())
        return ending

    def _work(self) -> Ending:
        engine = self._patience.with_engine(lambda: self._engines.open(self._lease))
        self._engine = engine
        self._announce(engine, clients_of(engine))
        with Recorder(self._record) as recorder:
            ending = self._train(engine, recorder)
            recorder.drain()
        self._saver.save(engine)
        if ending is Ending.FINISHED:
            self._patience.with_engine(lambda: self._closing.finish(engine))
        else:
            self._closing.settle(ending)
        return ending

    # --- training ---------------------------------------------------------------------------------

    def _train(self, engine: Engine, recorder: Recorder) -> Ending:
        while not engine.is_finished:
            try:
                report = self._patience.with_engine(lambda: self._train_round(engine))
            except Interrupted:
                log.info("round interrupted", round_index=engine.round_index)
            else:
                recorder.add(report.to_json())
                self._announce(engine)
                if self._saver.is_due():
                    recorder.drain()  # never save a round that might not be recorded
                    self._saver.save(engine)
            ending = self._reason_to_end()
            if ending is not None:
                return ending
        return Ending.FINISHED

    def _train_round(self, engine: Engine) -> RoundReport:
        return engine.run_round(should_stop=self._heartbeat.should_stop)

    def _record(self, rows: list[Row]) -> None:
        def write() -> None:
            with transaction.atomic():
                for row in rows:
                    services.record_round(lease=self._lease, report=row)

        self._patience.with_database(write)

    def _announce(self, engine: Engine, clients: list[dict[str, Any]] | None = None) -> None:
        """Say how the run is executed, at the start and whenever the engine changes its mind."""
        executor = engine.executor
        if executor == self._executor:
            return
        self._patience.with_database(
            lambda: services.mark_running(
                lease=self._lease, executor=executor, client_table=clients or ()
            )
        )
        self._executor = executor

    def _reason_to_end(self) -> Ending | None:
        return self._closing.reason() or (Ending.HANDED_OVER if self._is_turn_over() else None)

    def _is_turn_over(self) -> bool:
        now = monotonic()
        if now - self._started > LONGEST_TURN_S:
            return True
        if now - self._looked < self._slice_s:
            return False
        self._looked = now
        return self._patience.with_database(lambda: selectors.another_is_next(self._lease.run_id))

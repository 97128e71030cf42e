"""A turn with a run whose rounds are shared out: close the round that is there, open the next one.

In between nobody holds the run. The order is that of every turn: store, then record, in one
transaction with the next round's parts. A crash before it repeats the closing, from the same parts.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import structlog
from django.db import InterfaceError, OperationalError

from fedcore.engine import Chunk, Engine, Interrupted, Pace, RoundReport
from webapp.artifacts.services import discard_file, discard_parts, read_part, store_checkpoint
from webapp.jobs import services
from webapp.jobs.clock import database_now
from webapp.jobs.services import Lease, LeaseLostError, OpenRound, Part
from workers.closing import Closing, Ending, clients_of
from workers.engines import EngineCache
from workers.heartbeat import Heartbeat
from workers.patience import Patience
from workers.retry import RetryPolicy

log = structlog.get_logger(__name__)


class SharedTurn:
    """A turn with a run that this worker holds the lease of, between two rounds."""

    def __init__(
        self, lease: Lease, heartbeat: Heartbeat, *, engines: EngineCache, retries: RetryPolicy
    ) -> None:
        self._lease = lease
        self._heartbeat = heartbeat
        self._engines = engines
        self._patience = Patience(heartbeat, retries)
        self._closing = Closing(lease, heartbeat, engines, self._patience)
        self._engine: Engine | None = None

    def work(self) -> Ending:
        """Do what can be done without waiting for anybody.

        Raises:
            LeaseLostError: If the run belongs to another worker.
            OperationalError: If the database stays away; the run is then recovered later.
        """
        try:
            ending = self._work()
        except (LeaseLostError, OperationalError, InterfaceError):
            self._engines.drop(self._lease.run_id)
            raise
        except Interrupted:
            ending = self._closing.reason() or Ending.HANDED_OVER
            self._closing.settle(ending)
        except Exception as error:  # noqa: BLE001 (whatever it is, the run's page must say so)
            round_index = self._engine.round_index if self._engine else None
            ending = self._closing.end_with(error, self._closing.reason, round_index)
        log.info("turn ended", ending=ending.name.lower())
        return ending

    def _work(self) -> Ending:
        engine = self._patience.with_engine(lambda: self._engines.open_at(self._lease))
        self._engine = engine
        if engine.round_index != self._lease.rounds_done:
            # The checkpoint of the last round is lost. Rounds that are recorded already come out
            # the same when they are trained again, here and in one piece.
            self._catch_up(engine)
        self._announce(engine)
        ending = self._closing.reason()
        if ending is not None:
            self._closing.settle(ending)
            return ending
        if engine.is_finished:
            return self._finish(engine)
        return self._close_or_open(engine)

    def _catch_up(self, engine: Engine) -> None:
        log.warning("rounds are trained again", from_round=engine.round_index)
        while engine.round_index < self._lease.rounds_done:
            engine.run_round(should_stop=self._heartbeat.should_stop)

    def _announce(self, engine: Engine) -> None:
        is_new = self._lease.rounds_done == 0
        self._patience.with_database(
            lambda: services.mark_running(
                lease=self._lease,
                executor=f"workers, {engine.executor}",
                client_table=clients_of(engine) if is_new else (),
            )
        )

    # --- rounds -----------------------------------------------------------------------------------

    def _close_or_open(self, engine: Engine) -> Ending:
        found = services.find_open_round(self._lease.run_id, engine.round_index)
        runtime = self._lease.spec["runtime"]
        if found is None or not found.is_over(
            runtime["round_limit_s"], runtime["min_updates"], database_now()
        ):
            self._open(engine)
            return Ending.SHARED_OUT
        report = self._closed(engine, found)
        if report is None:
            self._open(engine)
            return Ending.SHARED_OUT
        self._record(engine, report)
        return self._finish(engine) if engine.is_finished else Ending.SHARED_OUT

    def _open(self, engine: Engine) -> None:
        parts = self._parts(engine)
        self._heartbeat.end()
        self._patience.with_database(lambda: services.open_round(lease=self._lease, parts=parts))

    def _parts(self, engine: Engine) -> list[Part]:
        measured = services.measured_pace(self._lease.run_id)
        pace = Pace(measured.seconds_per_client, measured.num_workers)
        return [Part(c.first_lane, c.end_lane, c.num_clients) for c in engine.chunks(pace)]

    def _closed(self, engine: Engine, found: OpenRound) -> RoundReport | None:
        """Return what the round came to; None if parts of it have to be trained again."""
        parts, damaged = [], []
        for result in found.parts:
            chunk = Chunk(result.part.first_lane, result.part.end_lane, result.part.num_clients)
            payload = read_part(key=result.key, sha256=result.sha256) if result.key else None
            if result.key and payload is None and result.chunk_id is not None:
                damaged.append(result.chunk_id)
            parts.append((chunk, payload))
        if damaged:
            self._patience.with_database(
                lambda: services.drop_results(lease=self._lease, chunk_ids=damaged)
            )
            return None
        elapsed_s = max(0.0, (database_now() - found.opened_at).total_seconds())
        return engine.finish_round(
            parts, elapsed_s=elapsed_s, should_stop=self._heartbeat.should_stop
        )

    def _record(self, engine: Engine, report: RoundReport) -> None:
        next_parts = [] if engine.is_finished else self._parts(engine)
        with TemporaryDirectory(prefix="roundhouse-") as folder:
            engine.save(Path(folder))
            stored = self._patience.with_engine(
                lambda: store_checkpoint(run_id=self._lease.run_id, folder=Path(folder))
            )
        if next_parts:
            self._heartbeat.end()
        try:
            self._patience.with_database(
                lambda: services.close_round(
                    lease=self._lease,
                    report=report.to_json(),
                    checkpoint=stored,
                    next_parts=next_parts,
                )
            )
        except LeaseLostError:
            discard_file(key=stored.key)
            raise

    def _finish(self, engine: Engine) -> Ending:
        self._patience.with_engine(lambda: self._closing.finish(engine))
        discard_parts(run_id=self._lease.run_id)
        return Ending.FINISHED

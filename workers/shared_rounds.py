"""A turn with a run whose rounds are shared out: close the round that is there, open the next one.

In between nobody holds the run. The order is that of every turn: store, then record, in one
transaction with the next round's parts. A crash before it repeats the closing, from the same parts.
"""

from __future__ import annotations

import structlog

from fedcore.engine import Chunk, Engine, Pace, RoundReport
from webapp.artifacts.services import discard_parts, read_part
from webapp.jobs import services
from webapp.jobs.clock import database_now
from webapp.jobs.services import ChunkLease, OpenRound, Part
from workers.turns import Ending, Turn

log = structlog.get_logger(__name__)


class SharedTurn:
    """A turn between two rounds that others train."""

    def __init__(self, turn: Turn, *, trainer: str | None = None) -> None:
        """Prepare; the trainer is given the first part of the round that is opened, as ``part``."""
        self._turn = turn
        self._trainer = trainer
        self.part: ChunkLease | None = None

    def work(self) -> Ending:
        """Do what can be done without waiting for anybody.

        Raises:
            LeaseLostError: If the run belongs to another worker.
            OperationalError: If the database stays away; the run is then recovered later.
        """
        return self._turn.play(self._work)

    def _work(self) -> Ending:
        turn = self._turn
        should_stop = turn.heartbeat.should_stop
        engine = turn.open(lambda: turn.engines.open_at(turn.lease, should_stop))
        if engine.round_index != turn.lease.rounds_done:
            # The checkpoint of the last round is lost. Rounds that are recorded already come out
            # the same when they are trained again, here and in one piece.
            self._catch_up(engine)
        turn.announce(engine, f"workers, {engine.executor}")
        ending = turn.reason_to_end()
        if ending is not None:
            return turn.settle(ending)
        if engine.is_finished:
            return self._finish(engine)
        return self._close_or_open(engine)

    def _catch_up(self, engine: Engine) -> None:
        log.warning("rounds are trained again", from_round=engine.round_index)
        while engine.round_index < self._turn.lease.rounds_done:
            engine.run_round(should_stop=self._turn.heartbeat.should_stop)

    # --- rounds -----------------------------------------------------------------------------------

    def _close_or_open(self, engine: Engine) -> Ending:
        lease = self._turn.lease
        found = lease.all_parts or services.find_open_round(lease.run_id, engine.round_index)
        if self._turn.take_up(engine):
            # A few clients of a round whose others are done: not worth sharing out.
            alone = engine.run_round(should_stop=self._turn.heartbeat.should_stop)
            self._record(engine, alone, found)
            return self._finish(engine) if engine.is_finished else Ending.SHARED_OUT
        runtime = lease.spec["runtime"]
        if found is None or not found.is_over(
            runtime["round_limit_s"], runtime["min_updates"], database_now()
        ):
            self._open(engine)
            return Ending.SHARED_OUT
        report = self._closed(engine, found)
        if report is None:
            self._open(engine)
            return Ending.SHARED_OUT
        self._record(engine, report, found)
        return self._finish(engine) if engine.is_finished else Ending.SHARED_OUT

    def _open(self, engine: Engine) -> None:
        turn, parts = self._turn, _parts(engine, None)
        turn.heartbeat.end()
        self.part = turn.patience.with_database(
            lambda: services.open_round(lease=turn.lease, parts=parts, trainer=self._trainer)
        )

    def _closed(self, engine: Engine, found: OpenRound) -> RoundReport | None:
        """Return what the round came to; None if parts of it have to be trained again."""
        turn = self._turn
        parts, damaged = [], []
        for result in found.parts:
            chunk = Chunk(result.part.first_lane, result.part.end_lane, result.part.num_clients)
            payload = read_part(key=result.key, sha256=result.sha256) if result.key else None
            if result.key and payload is None and result.chunk_id is not None:
                damaged.append(result.chunk_id)
            parts.append((chunk, payload))
        if damaged:
            turn.patience.with_database(
                lambda: services.drop_results(lease=turn.lease, chunk_ids=damaged)
            )
            return None
        elapsed_s = max(0.0, (database_now() - found.opened_at).total_seconds())
        return engine.finish_round(
            parts, elapsed_s=elapsed_s, should_stop=turn.heartbeat.should_stop
        )

    def _record(self, engine: Engine, report: RoundReport, found: OpenRound | None) -> None:
        turn = self._turn
        next_parts = [] if engine.is_finished else _parts(engine, found)
        stored = turn.patience.with_engine(lambda: turn.store_state_unsynced(engine))
        if next_parts:
            turn.heartbeat.end()
        self.part = turn.record_state(
            stored,
            lambda: services.close_round(
                lease=turn.lease,
                report=report.to_json(),
                checkpoint=stored,
                next_parts=next_parts,
                used=found.keys if found else (),
                trainer=self._trainer,
            ),
        )

    def _finish(self, engine: Engine) -> Ending:
        ending = self._turn.finish(engine)
        discard_parts(run_id=self._turn.lease.run_id)
        return ending


def _parts(engine: Engine, last: OpenRound | None) -> list[Part]:
    """Return the parts of the next round, cut by how fast those of the last one were trained."""
    pace = Pace(last.pace.seconds_per_client, last.pace.num_workers) if last else Pace()
    return [Part(c.first_lane, c.end_lane, c.num_clients) for c in engine.chunks(pace)]

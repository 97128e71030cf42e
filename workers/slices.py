"""One worker's turn with one run: train rounds, record each, stop where somebody asks.

The order on every path is: record what is done, save what is needed to go on, change the state.
A crash between any two of these repeats work and loses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic

import structlog

from fedcore.engine import Engine, Interrupted, RoundReport
from webapp.jobs import selectors, services
from workers.recorder import Recorder, Timed
from workers.saver import Saver
from workers.turns import Ending, Turn

log = structlog.get_logger(__name__)

#: A turn ends after so long even if nobody waits: brokers close a channel, or deliver again, when
#: a message stays unacknowledged for half an hour.
LONGEST_TURN_S = 600.0


@dataclass(frozen=True)
class Timing:
    """How long a turn lasts, and how much training a crash may repeat."""

    slice_s: float
    checkpoint_every_s: float


class Slice:
    """A turn with a run that is trained here alone."""

    def __init__(self, turn: Turn, timing: Timing) -> None:
        self._turn = turn
        self._slice_s = timing.slice_s
        self._saver = Saver(turn, every_s=timing.checkpoint_every_s)
        self._started = self._looked = monotonic()

    def work(self) -> Ending:
        """Train until there is a reason to end, and act on it.

        Raises:
            LeaseLostError: If the run belongs to another worker.
            OperationalError: If the database stays away; the run is then recovered later.
        """
        return self._turn.play(self._work, self._reason_to_end)

    def _work(self) -> Ending:
        turn = self._turn
        should_stop = turn.heartbeat.should_stop
        engine = turn.open(lambda: turn.engines.open(turn.lease, should_stop))
        turn.announce(engine, engine.executor)
        with Recorder(self._record) as recorder:
            ending = self._train(engine, recorder)
            recorder.drain()
        self._saver.save(engine)
        return turn.finish(engine) if ending is Ending.FINISHED else turn.settle(ending)

    # --- training ---------------------------------------------------------------------------------

    def _train(self, engine: Engine, recorder: Recorder) -> Ending:
        while not engine.is_finished:
            try:
                report = self._turn.patience.with_engine(lambda: self._train_round(engine))
            except Interrupted:
                log.info("round interrupted", round_index=engine.round_index)
            else:
                recorder.add(report.to_json())
                self._turn.announce(engine, engine.executor)  # it may have changed its mind
                if self._saver.is_due():
                    recorder.drain()  # never save a round that might not be recorded
                    self._saver.save(engine)
            ending = self._reason_to_end()
            if ending is not None:
                return ending
        return Ending.FINISHED

    def _train_round(self, engine: Engine) -> RoundReport:
        self._turn.take_up(engine)
        return engine.run_round(should_stop=self._turn.heartbeat.should_stop)

    def _record(self, rounds: list[Timed]) -> None:
        def write() -> None:
            now = monotonic()
            services.record_rounds(
                lease=self._turn.lease,
                reports=[each.row for each in rounds],
                ages_s=[now - each.at for each in rounds],
            )

        self._turn.patience.with_database(write)

    def _reason_to_end(self) -> Ending | None:
        return self._turn.reason_to_end() or (Ending.HANDED_OVER if self._is_turn_over() else None)

    def _is_turn_over(self) -> bool:
        now = monotonic()
        if now - self._started > LONGEST_TURN_S:
            return True
        if now - self._looked < self._slice_s:
            return False
        self._looked = now
        run_id = self._turn.lease.run_id
        return self._turn.patience.with_database(lambda: selectors.another_is_next(run_id))

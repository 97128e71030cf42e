"""A turn with a run whose clients are real sites: close the stage that is over, open the next one.

In between nobody holds the run. The order is that of every turn: store, then record, in one
transaction with the tasks of the next stage. A crash before it repeats the closing, from the same
answers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import structlog

from fedcore.data.sites import Holding
from fedcore.engine import Answer, Answers, Assignment, Engine, SiteTally
from fedcore.engine.at_sites import EXECUTOR
from fedcore.errors import CheckpointError, PermanentError, TooFewUpdatesError
from fedcore.secagg.documents import KEYS_BYTES
from fedcore.sites.tasks import TaskKind
from fedcore.spec import RunSpec
from webapp.artifacts.services import StoredFile, discard_parts, read_part, store_part
from webapp.jobs.clock import database_now
from webapp.jobs.limits import InvalidSpecError
from webapp.jobs.services import record_checkpoint
from webapp.sites import services
from webapp.sites.services import Errand, Flights, MemberOfRun, Outcome, RoundOnSites, Stage
from workers.secure_rounds import SecureRound
from workers.turns import Ending, Turn

log = structlog.get_logger(__name__)


class SitesUnfitError(PermanentError):
    """A site that the run names cannot take part."""

    code = "sites_unfit"


class SitesTurn:
    """A turn between two stages of rounds that sites train and test."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        runtime = turn.lease.spec["runtime"]
        self._limit_s = float(runtime["round_limit_s"])
        self._min_updates = int(runtime["min_updates"])
        self._is_secure = bool(turn.lease.spec["privacy"]["secure_aggregation"])
        self._members: tuple[MemberOfRun, ...] = ()

    def work(self) -> Ending:
        """Do what can be done without waiting for anybody.

        Raises:
            LeaseLostError: If the run belongs to another worker.
            OperationalError: If the database stays away; the run is then recovered later.
        """
        turn = self._turn
        ending = turn.play(self._work)
        if ending in (Ending.FAILED, Ending.CANCELLED):
            turn.patience.with_database(lambda: services.forget_files(run_id=turn.lease.run_id))
        return ending

    def _work(self) -> Ending:
        turn = self._turn
        self._members = self._roster()
        holdings = tuple(Holding(m.name, m.num_train, m.num_test) for m in self._members)
        should_stop = turn.heartbeat.should_stop
        engine = turn.open(lambda: turn.engines.open_at(turn.lease, should_stop, holdings))
        if engine.round_index != turn.lease.rounds_done:
            raise CheckpointError(
                f"the state after round {turn.lease.rounds_done - 1} is lost, and sites do not "
                "train a round again",
                fix="Launch the job again.",
            )
        turn.announce(engine, EXECUTOR, clients=self._client_rows())
        ending = turn.reason_to_end()
        if ending is not None:
            return turn.settle(ending)
        return self._finish(engine) if engine.is_finished else self._go_on(engine)

    def _roster(self) -> tuple[MemberOfRun, ...]:
        lease = self._turn.lease
        try:
            return self._turn.patience.with_database(lambda: services.form_roster(lease=lease))
        except InvalidSpecError as error:
            named = "; ".join(said for all_said in error.fields.values() for said in all_said)
            fix = "Mend this on the page Sites, then retry the run."
            raise SitesUnfitError(named, field="runtime.sites", fix=fix) from error

    def _client_rows(self) -> list[dict[str, Any]]:
        names = services.class_names_of(RunSpec.parse(self._turn.lease.spec))
        return [
            {
                "client_id": member.client_id,
                "num_samples": member.num_train,
                "class_counts": [(member.class_counts or {}).get(name, 0) for name in names],
            }
            for member in self._members
        ]

    # --- rounds -----------------------------------------------------------------------------------

    def _go_on(self, engine: Engine) -> Ending:
        """Close what is over and open what comes next."""
        turn, run_id = self._turn, self._turn.lease.run_id
        found = self._found(engine)
        if found is None:
            at_work = engine.outlook.at_work
            # Of a run that is tried again, those who were let go get their message once more.
            first = self._training(engine, services.still_asked(run_id, at_work))
            self._keep_beginning(engine)
            self._open(first)
            return Ending.SHARED_OUT
        if not found.is_over(database_now()):
            return self._wait(engine, found)
        if not found.is_answered:
            turn.patience.with_database(lambda: services.give_up_waiting(lease=turn.lease))
            found = self._found(engine) or found
            if not found.is_over(database_now()):  # others are at work, and have time left
                return self._wait(engine, found)
        return self._go_on_from(engine, found)

    def _found(self, engine: Engine) -> RoundOnSites | None:
        run_id, index = self._turn.lease.run_id, engine.round_index
        return self._turn.patience.with_database(lambda: services.find_round(run_id, index))

    def _wait(self, engine: Engine, found: RoundOnSites) -> Ending:
        """Give the run back; where sites have delivered, others take their places before that."""
        turn = self._turn
        stage, replaced = None, (*found.replaced, *found.vacant)
        if found.vacant:
            stage = self._more_training(engine, found, replaced)
        turn.heartbeat.end()
        turn.patience.with_database(
            partial(services.wait_on, lease=turn.lease)
            if stage is None
            else partial(services.fill_places, lease=turn.lease, stage=stage, replaced=replaced)
        )
        return Ending.SHARED_OUT

    def _more_training(
        self, engine: Engine, found: RoundOnSites, replaced: tuple[int, ...]
    ) -> Stage:
        """Return what sites are asked in the place of those that have delivered."""
        out = {*found.begun, *self._candidates(at_least=1).out}
        sent = [
            one for one in engine.successors(found.reachable, replaced) if one.client_id not in out
        ]
        return self._stage(engine, found.reachable, sent, found.flights or {})

    def _go_on_from(self, engine: Engine, found: RoundOnSites) -> Ending:
        """Open what follows a stage that is over, or close the round."""
        secure, stage = None, None
        if self._is_secure:
            secure = SecureRound(
                engine, found, lease=self._turn.lease, members=self._members, read=_bytes
            )
            stage = None if secure.is_complete else self._next_of(secure, engine)
        if stage is None:
            # Once: the sum is opened for it, which takes long.
            answers = self._answers(found) if secure is None else secure.total()
            if found.stage is not TaskKind.EVALUATE:
                stage = self._test(engine, found, answers)
            if stage is None:
                return self._close(engine, found, answers)
        self._open(stage)
        return Ending.SHARED_OUT

    def _next_of(self, secure: SecureRound, engine: Engine) -> Stage:
        """Return the next stage of a secure sum."""
        out = self._candidates(at_least=1).out
        there = {member.client_id for member in self._members} - out.keys()
        return secure.next_stage(there, self._limit_s, partial(self._stored, engine))

    def _training(self, engine: Engine, holding: Collection[int]) -> Stage:
        """Return the next round's training, its messages stored.

        Args:
            engine: The run.
            holding: Sites that are at work and have their message.

        Raises:
            TooFewUpdatesError: If too few sites are left.
        """
        found = self._candidates(at_least=self._min_updates)
        if len(found.reachable) < self._min_updates:
            reasons = "; ".join(found.out.values())
            raise TooFewUpdatesError(
                f"round {engine.round_index} needs {self._min_updates} updates, and "
                f"{len(found.reachable)} sites are left ({reasons})",
                round_index=engine.round_index,
                reasons=dict(found.out),
                field="runtime.sites",
                fix="See each site's reason; then retry the run, or launch one with other sites.",
            )
        sent = engine.assignments(found.reachable, holding)
        at_work = {**engine.outlook.at_work, **{one.client_id: one.version for one in sent}}
        there = [one for one in sent if one.client_id in found.reachable]
        return self._stage(engine, found.reachable, there, at_work)

    def _stage(
        self,
        engine: Engine,
        reachable: tuple[int, ...],
        sent: Sequence[Assignment],
        at_work: Mapping[int, int],
    ) -> Stage:
        """Return training, its messages stored.

        Args:
            engine: The run.
            reachable: Sites among which the cohort was chosen.
            sent: What some of them are sent.
            at_work: Whose updates the round can use, with the rounds of their models.
        """
        kind = TaskKind.KEYS if self._is_secure else TaskKind.TRAIN
        stored: dict[int, StoredFile] = {}
        errands = []
        for one in sent:
            if id(one.payload) not in stored:
                stored[id(one.payload)] = self._stored(engine, kind, one.payload)
            size = KEYS_BYTES if self._is_secure else one.max_result_bytes
            errands.append(Errand(one.client_id, stored[id(one.payload)], size, one.version))
        expected, flights = engine.outlook, None
        if (wait := expected.wait) is not None:
            flights = Flights(at_work, wait.count, wait.seconds, expected.restarts_at_once)
        return Stage(kind, reachable, tuple(errands), self._limit_s, flights=flights)

    def _test(self, engine: Engine, found: RoundOnSites, answers: Answers) -> Stage | None:
        """Return the test of the model that a round's updates make; None if none is due."""
        model = engine.model_to_test(found.reachable, answers)
        there, is_last = self._candidates(at_least=1), engine.outlook.is_last
        busy = set() if is_last else found.at_work
        clients = [
            m.client_id
            for m in self._members
            if m.num_test and m.client_id in there.reachable and m.client_id not in busy
        ]
        if model is None or not clients:
            return None
        message = self._stored(engine, TaskKind.EVALUATE, model)
        errands = services.errands_of(clients, message, 0)
        return Stage(
            TaskKind.EVALUATE,
            found.reachable,
            errands,
            self._limit_s,
            landed=found.landed,
            is_last=is_last,
        )

    def _close(self, engine: Engine, found: RoundOnSites, answers: Answers) -> Ending:
        """Record the round, and open the next one in the same transaction if there is one."""
        turn = self._turn
        elapsed_s = max(0.0, (database_now() - found.opened_at).total_seconds())
        report = engine.finish_on_sites(
            found.reachable, answers, _tallies(found), elapsed_s=elapsed_s
        ).to_json()
        stored = turn.patience.with_engine(lambda: turn.store_state(engine))
        last = partial(
            services.close_last_round, lease=turn.lease, report=report, checkpoint=stored
        )
        if engine.is_finished:
            turn.record_state(stored, last)
            return self._finish(engine)
        try:
            stage = self._training(engine, engine.outlook.at_work)
        except TooFewUpdatesError:
            turn.record_state(stored, last)  # the round was good; it is the next that cannot be
            raise
        turn.heartbeat.end()
        turn.record_state(
            stored,
            lambda: services.open_stage(
                lease=turn.lease, stage=stage, report=report, checkpoint=stored
            ),
        )
        return Ending.SHARED_OUT

    def _keep_beginning(self, engine: Engine) -> None:
        """Store the state before the first round: secret noise comes of a key that is in it.

        Another worker that closes the round would make another key, and release it twice.
        """
        turn = self._turn
        if turn.lease.checkpoint is not None or turn.lease.spec["privacy"]["dp"] is None:
            return
        stored = turn.patience.with_engine(lambda: turn.store_state(engine))
        turn.record_state(
            stored,
            lambda: record_checkpoint(
                lease=turn.lease,
                key=stored.key,
                size_bytes=stored.size_bytes,
                sha256=stored.sha256,
                round_index=engine.round_index,
            ),
        )

    def _open(self, stage: Stage) -> None:
        turn = self._turn
        turn.heartbeat.end()
        turn.patience.with_database(lambda: services.open_stage(lease=turn.lease, stage=stage))

    def _stored(self, engine: Engine, kind: TaskKind, payload: bytes) -> StoredFile:
        name = f"{engine.round_index}-{kind.value}.message"
        run_id = self._turn.lease.run_id
        return self._turn.patience.with_engine(
            lambda: store_part(run_id=run_id, name=name, payload=payload)
        )

    def _candidates(self, *, at_least: int) -> services.Candidates:
        return services.candidates(self._turn.lease.run_id, at_least=at_least, now=database_now())

    def _answers(self, found: RoundOnSites) -> dict[int, Answer]:
        names = {member.client_id: member.name for member in self._members}
        trained = found.outcomes.get(TaskKind.TRAIN, {})
        return {
            client: replace(
                _answer(names[client], trained[client]), is_replaced=client in found.replaced
            )
            for client in (*found.replaced, *(trained.keys() - set(found.replaced)))
        }

    def _finish(self, engine: Engine) -> Ending:
        ending = self._turn.finish(engine)
        discard_parts(run_id=self._turn.lease.run_id)
        return ending


def _answer(name: str, outcome: Outcome) -> Answer:
    if outcome.status != "ok":
        reason = f"site {name}: {outcome.reason}"
        return Answer(seconds=outcome.seconds, status=outcome.status, reason=reason)
    return Answer(lambda: _bytes(outcome), seconds=outcome.seconds)


def _bytes(outcome: Outcome) -> bytes:
    payload = read_part(key=outcome.key, sha256=outcome.sha256)
    if payload is None:
        log.error("a site's update is gone or damaged", key=outcome.key)
        return b""  # which the gate refuses as damaged
    return payload


def _tallies(found: RoundOnSites) -> Mapping[int, SiteTally]:
    tested = found.outcomes.get(TaskKind.EVALUATE, {})
    return {
        client: SiteTally(outcome.num_examples, outcome.tally)
        for client, outcome in tested.items()
        if outcome.tally is not None
    }

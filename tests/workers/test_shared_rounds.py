"""Rounds that workers share out, with the real engine: equal to a local run, whatever happens."""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from fedcore.engine import Engine
from fedcore.errors import StorageError
from tests.factories import make_run, make_spec
from tests.messages import catch_messages
from tests.waiting import wait_until
from webapp.accounts.models import Project, User
from webapp.artifacts.services import store_part
from webapp.jobs import services
from webapp.jobs.chunk_models import Chunk, ChunkState
from webapp.jobs.models import Run
from webapp.jobs.states import RunState
from workers.engines import EngineCache
from workers.retry import RetryPolicy
from workers.runs import advance, share

TINY: dict[str, Any] = {
    "rounds": 3,
    "dataset": {"kind": "synthetic", "num_samples": 200, "num_features": 10},
    "partition": {"kind": "iid", "clients": 8},
    "sampling": {"kind": "full"},
    "model": {"kind": "mlp", "hidden": [16]},
    "compression": {"uplink": [{"kind": "topk", "ratio": 0.2}]},
    "runtime": {"executor": "sequential", "placement": "workers"},
}
ENDLESS: dict[str, Any] = {**TINY, "local": {"steps": 10_000_000, "batch_size": 32}}
AT_ONCE = RetryPolicy(max_retries=3, first_pause_s=0.01, longest_pause_s=0.01)


class Broker:
    """The messages of a test: what was sent, delivered by hand to workers in any order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.messages: deque[tuple[str, UUID]] = deque()
        catch_messages(monkeypatch, self._take)

    def _take(self, name: str, *, args: list[str], queue: str, **_: object) -> None:
        assert queue == "cpu"
        self.messages.append((name, UUID(args[0])))

    def deliver(self, engines: EngineCache, message: tuple[str, UUID] | None = None) -> None:
        name, row_id = self.messages.popleft() if message is None else message
        act = advance if name == "runs.advance" else share
        act(row_id, queue="cpu", engines=engines, retries=AT_ONCE)

    def deliver_all(self, *workers: EngineCache) -> None:
        number = 0
        while self.messages:
            self.deliver(workers[number % len(workers)])
            number += 1


@pytest.fixture(autouse=True)
def _a_part_per_message(settings: Settings) -> None:
    """Let a worker go to the end of the queue after each part, so that tests can come between."""
    settings.SLICE_S = 0.0


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    return Broker(monkeypatch)


@pytest.fixture
def run(broker: Broker, editor: User, project: Project) -> Run:  # noqa: ARG001 (catches messages)
    return make_run(editor, project, **TINY)


def local_run(sections: dict[str, Any] = TINY) -> list[dict[str, float]]:
    engine = Engine.create(make_spec(**{**sections, "runtime": {"executor": "sequential"}}))
    rounds = []
    while not engine.is_finished:
        rounds.append(dict(engine.run_round().metrics))
    return rounds


def assert_as_local(run: Run) -> None:
    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED, run.failure
    assert [record.metrics for record in run.rounds.order_by("round_index")] == local_run()
    events = list(run.events.order_by("seq"))
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    told = [event.data["round"] for event in events if event.kind == "round_finished"]
    assert told == [0, 1, 2]


def parts(run: Run) -> list[Chunk]:
    return list(Chunk.objects.filter(run=run).order_by("round_index", "index", "attempt"))


def test_two_workers_come_to_the_bits_of_one(broker: Broker, run: Run, files: Path) -> None:
    broker.deliver_all(EngineCache(), EngineCache())
    assert_as_local(run)
    left = [path for path in files.rglob("*") if path.is_file()]
    assert not [path for path in left if "parts" in path.parts]
    assert run.executor.startswith("workers, sequential")


def test_a_run_that_is_shared_out_waits_for_nobody(broker: Broker, run: Run) -> None:
    broker.deliver(EngineCache())
    run.refresh_from_db()
    assert (run.state, run.parts_out, run.lease_token) == (RunState.RUNNING, True, None)
    assert not run.is_waiting
    assert not Run.objects.waiting().exists()
    assert services.acquire_lease(run_id=run.pk, holder="eager") is None
    assert len(parts(run)) == 2


def test_for_a_slice_a_worker_needs_no_more_messages(
    broker: Broker, run: Run, settings: Settings
) -> None:
    settings.SLICE_S = 3600.0
    worker, other = EngineCache(), EngineCache()
    broker.deliver(worker)
    assert_as_local(run)
    assert len(broker.messages) == TINY["rounds"], "one for the other part of each round"
    broker.deliver_all(other)
    assert not other.warm(), "they find nothing to do"
    assert_as_local(run)


def test_every_message_twice_changes_nothing(broker: Broker, run: Run) -> None:
    worker, other = EngineCache(), EngineCache()
    attempts: set[int] = set()
    while broker.messages:
        message = broker.messages[0]
        broker.deliver(worker)
        broker.deliver(other, message)
        attempts |= {chunk.attempt for chunk in parts(run)}
    assert_as_local(run)
    assert attempts == {1}


def test_no_message_at_all_loses_nothing(broker: Broker, run: Run) -> None:
    worker = EngineCache()
    now = timezone.now()
    for step in range(40):
        broker.messages.clear()
        later = now + timedelta(seconds=300 * (step + 1))
        services.reconcile(now=later)
        services.reconcile_chunks(now=later)
        if broker.messages:
            broker.deliver(worker)
    assert_as_local(run)


def test_the_worker_that_is_last_dies_before_it_closes_the_round(
    broker: Broker, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = EngineCache()
    broker.deliver(worker)
    with monkeypatch.context() as patch:
        patch.setattr("workers.runs.Work._take_turn", lambda *_, **__: None)
        broker.deliver_all(worker)
    run.refresh_from_db()
    assert (run.rounds_done, run.parts_out) == (0, False)
    services.reconcile(now=timezone.now() + timedelta(seconds=60))
    broker.deliver_all(EngineCache())
    assert_as_local(run)


def test_a_silent_worker_s_part_goes_to_another(broker: Broker, run: Run) -> None:
    worker = EngineCache()
    broker.deliver(worker)
    _, chunk_id = broker.messages.popleft()
    lost = services.claim_chunk(chunk_id=chunk_id, holder="dead:1", queue="cpu")
    assert lost is not None
    broker.deliver_all(worker)
    later = timezone.now() + timedelta(seconds=60)
    assert services.reconcile_chunks(now=later) == [run.pk]
    broker.deliver_all(worker)
    assert_as_local(run)
    warnings = [e.data["message"] for e in run.events.filter(kind="log")]
    assert any("dead:1 went silent" in message for message in warnings)


def test_a_damaged_part_is_trained_again(
    broker: Broker, run: Run, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = EngineCache()
    broker.deliver(worker)
    with monkeypatch.context() as patch:
        patch.setattr("workers.runs.Work._take_turn", lambda *_, **__: None)
        broker.deliver_all(worker)
    victim = next((files / "runs" / str(run.pk) / "parts").iterdir())
    victim.write_bytes(b"damaged")
    services.reconcile(now=timezone.now() + timedelta(seconds=60))
    broker.deliver_all(worker)
    assert_as_local(run)
    assert any("damaged" in e.data["message"] for e in run.events.filter(kind="log"))


def test_a_part_that_keeps_failing_fails_the_run_with_its_reason(
    broker: Broker, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: object) -> None:
        raise OSError(28, "No space left on device")

    worker = EngineCache()
    broker.deliver(worker)
    with monkeypatch.context() as patch:
        patch.setattr("workers.chunks.store_part", full)
        broker.deliver_all(worker)
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert run.failure is not None
    assert run.failure["code"] == "disk_full"
    services.request_retry(run=run, user=run.created_by)
    broker.deliver_all(EngineCache())
    assert_as_local_after_retry(run)


def assert_as_local_after_retry(run: Run) -> None:
    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED, run.failure
    assert [r.metrics for r in run.rounds.order_by("round_index")] == local_run()


def test_storage_that_is_away_for_a_moment_costs_nothing(
    broker: Broker, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = deque([StorageError("away"), StorageError("away")])

    def shaky(**arguments: Any) -> Any:
        if failures:
            raise failures.popleft()
        return store_part(**arguments)

    monkeypatch.setattr("workers.chunks.store_part", shaky)
    worker, attempts = EngineCache(), set[int]()
    while broker.messages:
        broker.deliver(worker)
        attempts |= {chunk.attempt for chunk in parts(run)}
    assert_as_local(run)
    assert not failures
    assert attempts == {1}


@pytest.mark.parametrize("action", ["pause", "cancel"])
def test_a_part_in_training_stops_within_two_seconds(
    broker: Broker, editor: User, project: Project, action: str
) -> None:
    run = make_run(editor, project, **ENDLESS)
    broker.deliver(EngineCache())
    message = broker.messages.popleft()
    ended = Event()

    def work() -> None:
        try:
            broker.deliver(EngineCache(), message)
        finally:
            connection.close()
            ended.set()

    thread = Thread(target=work)
    thread.start()
    wait_until(
        lambda: Chunk.objects.filter(run=run, state=ChunkState.TRAINING).exists(),
        within_s=60,
        what="training",
    )
    run.refresh_from_db()
    act = services.request_pause if action == "pause" else services.request_cancel
    asked = monotonic()
    act(run=run, user=editor)
    assert ended.wait(60)
    assert monotonic() - asked < 2.0
    thread.join()
    run.refresh_from_db()
    assert run.state == {"pause": RunState.PAUSED, "cancel": RunState.CANCELLED}[action]


def test_a_paused_run_goes_on_with_the_parts_that_are_done(broker: Broker, run: Run) -> None:
    worker = EngineCache()
    broker.deliver(worker)
    broker.deliver(worker)
    services.request_pause(run=run, user=run.created_by)
    broker.deliver_all(worker)  # messages of a paused run do nothing
    run.refresh_from_db()
    assert (run.state, run.rounds_done) == (RunState.PAUSED, 0)
    services.request_resume(run=run, user=run.created_by)
    broker.deliver_all(worker)
    assert_as_local(run)
    assert run.events.filter(kind="round_finished").count() == 3


def test_a_round_is_closed_at_its_limit_with_what_is_there(
    broker: Broker, editor: User, project: Project, settings: Settings
) -> None:
    settings.LEASE_S = 3600.0
    runtime = {**TINY["runtime"], "round_limit_s": 30, "min_updates": 2}
    run = make_run(editor, project, **{**TINY, "rounds": 1, "runtime": runtime})
    worker = EngineCache()
    broker.deliver(worker)
    _, chunk_id = broker.messages.popleft()
    slow = services.claim_chunk(chunk_id=chunk_id, holder="slow:1", queue="cpu")
    assert slow is not None
    broker.deliver_all(worker)
    assert services.reconcile_chunks(now=timezone.now()) == []
    # The clock of the database is not ours to move; the round's own is.
    Chunk.objects.filter(run=run).update(opened_at=timezone.now() - timedelta(seconds=31))
    assert services.reconcile_chunks(now=timezone.now()) == [run.pk]
    broker.deliver_all(worker)
    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED, run.failure
    record = run.rounds.get()
    assert record.participants == 8 - slow.num_clients
    assert sum(client["status"] == "late" for client in record.clients) == slow.num_clients


def test_a_retry_trains_only_the_parts_again_in_which_clients_failed(
    broker: Broker, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A round gets too few updates because clients of one part fail; the other part is kept."""
    Run.objects.filter(pk=run.pk).update(
        spec={**run.spec, "runtime": {**run.spec["runtime"], "min_updates": 8}}
    )

    def out_of_memory(*_: object, **__: object) -> None:
        raise MemoryError("for this client, this time")

    worker = EngineCache()
    broker.deliver(worker)
    broker.deliver(worker)
    with monkeypatch.context() as patch:
        patch.setattr("fedcore.engine.executor.client_round", out_of_memory)
        broker.deliver_all(worker)
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert run.failure is not None
    assert run.failure["code"] == "too_few_updates"
    assert len(run.failed_clients) == 4
    services.request_retry(run=run, user=run.created_by)
    broker.deliver_all(worker)
    assert_as_local_after_retry(run)
    first_round = run.rounds.get(round_index=0)
    assert {client["status"] for client in first_round.clients} == {"ok"}


def test_after_a_retry_the_parts_that_were_whole_are_not_trained_again(
    broker: Broker, run: Run
) -> None:
    worker = EngineCache()
    broker.deliver(worker)
    whole, broken = parts(run)
    for chunk, missing in ((whole, 0), (broken, 1)):
        lease = services.claim_chunk(chunk_id=chunk.pk, holder="a:1", queue="cpu")
        assert lease is not None
        services.record_part(
            lease=lease,
            stored=store_part(run_id=run.pk, name=str(chunk.index), payload=b"x"),
            num_updates=chunk.num_clients - missing,
            seconds=1.0,
        )
    Run.objects.filter(pk=run.pk).update(state=RunState.FAILED, lease_token=None)
    run.refresh_from_db()
    services.request_retry(run=run, user=run.created_by)
    states = {chunk.index: chunk.state for chunk in parts(run)}
    assert states == {0: ChunkState.DONE, 1: ChunkState.DROPPED}

"""A worker's turn with a run, with the real engine: what it records, and where it stops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from fedcore.clients.work import ClientResult, ClientTask, client_round
from fedcore.engine import Engine, ShouldStop
from fedcore.errors import StorageError
from tests.factories import make_run, make_spec
from tests.waiting import wait_until
from webapp.accounts.models import Project, User
from webapp.artifacts.models import Artifact, ArtifactKind
from webapp.errors import ConflictError
from webapp.jobs import services
from webapp.jobs.models import Run, RunEvent
from webapp.jobs.services import Lease
from webapp.jobs.states import RunState
from workers.engines import EngineCache
from workers.retry import RetryPolicy
from workers.runs import advance

TINY: dict[str, Any] = {
    "rounds": 4,
    "dataset": {"kind": "synthetic", "num_samples": 200, "num_features": 10},
    "partition": {"kind": "iid", "clients": 4},
    "model": {"kind": "mlp", "hidden": [16]},
    "runtime": {"executor": "sequential"},
}
#: One round of this takes minutes, however fast the steps are.
ENDLESS: dict[str, Any] = {**TINY, "local": {"steps": 10_000_000, "batch_size": 32}}

AT_ONCE = RetryPolicy(max_retries=3, first_pause_s=0.01, longest_pause_s=0.01)


@pytest.fixture(autouse=True)
def _settings(settings: Settings) -> None:
    settings.SLICE_S = 3600.0
    settings.CHECKPOINT_EVERY_S = 3600.0


@pytest.fixture
def engines() -> EngineCache:
    return EngineCache()


@pytest.fixture
def run(editor: User, project: Project) -> Run:
    return make_run(editor, project, **TINY)


def undisturbed(
    sections: Mapping[str, Any] = TINY, num_rounds: int | None = None
) -> list[dict[str, float]]:
    """Return the metrics of each round, or the first ones, of a run that nothing happens to."""
    engine = Engine.create(make_spec(**sections))
    rounds: list[dict[str, float]] = []
    while not engine.is_finished and len(rounds) != num_rounds:
        rounds.append(dict(engine.run_round().metrics))
    return rounds


def recorded(run: Run) -> list[dict[str, float | None]]:
    return [record.metrics for record in run.rounds.order_by("round_index")]


def kinds(run: Run) -> list[str]:
    return list(run.events.order_by("seq").values_list("kind", flat=True))


def state_of(run: Run) -> str:
    return str(Run.objects.values_list("state", flat=True).get(pk=run.pk))


@contextmanager
def advancing(run: Run, engines: EngineCache) -> Iterator[Thread]:
    """Advance a run in another thread, as a worker does while its user looks on."""

    def work() -> None:
        try:
            advance(run.pk, queue="cpu", engines=engines)
        finally:
            connection.close()

    thread = Thread(target=work)
    thread.start()
    try:
        wait_until(lambda: state_of(run) == RunState.RUNNING, within_s=60, what="training")
        yield thread
    finally:
        thread.join(60)
        assert not thread.is_alive()


@dataclass
class Fetching(EngineCache):
    """An engine cache whose data arrive only after some failures."""

    failures: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def open(self, lease: Lease, should_stop: ShouldStop) -> Engine:
        if self.failures:
            raise self.failures.pop(0)
        return super().open(lease, should_stop)


def test_a_run_that_fits_into_one_turn_succeeds_with_the_numbers_of_the_engine(
    run: Run, engines: EngineCache
) -> None:
    advance(run.pk, queue="cpu", engines=engines)
    run.refresh_from_db()
    expected = undisturbed()
    assert run.state == RunState.SUCCEEDED
    assert run.executor.startswith("sequential")
    assert recorded(run) == expected
    assert run.latest_metrics == expected[-1]
    assert run.client_table.clients[0]["num_samples"] > 0
    seqs = list(RunEvent.objects.filter(run=run).order_by("seq").values_list("seq", flat=True))
    assert seqs == list(range(1, run.last_seq + 1))


def test_the_model_and_the_last_state_are_stored(run: Run, engines: EngineCache) -> None:
    advance(run.pk, queue="cpu", engines=engines)
    stored = Artifact.objects.filter(run=run)
    names = set(stored.filter(kind=ArtifactKind.MODEL).values_list("name", flat=True))
    assert names == {"model.safetensors", "model.json"}
    assert stored.get(kind=ArtifactKind.CHECKPOINT).round_index == TINY["rounds"]


def test_a_message_that_is_delivered_again_changes_nothing(run: Run, engines: EngineCache) -> None:
    advance(run.pk, queue="cpu", engines=engines)
    before = kinds(run)
    advance(run.pk, queue="cpu", engines=engines)
    assert kinds(run) == before


@pytest.mark.parametrize("capacity", [2, 1], ids=["warm", "from checkpoints"])
def test_two_runs_that_take_turns_each_come_to_their_own_numbers(
    run: Run, editor: User, project: Project, settings: Settings, capacity: int
) -> None:
    settings.SLICE_S = 0.0
    other_spec = {**TINY, "seed": 5}
    other = make_run(editor, project, **other_spec)
    engines = EngineCache(capacity)
    advance(run.pk, queue="cpu", engines=engines)
    run.refresh_from_db()
    assert (run.state, run.rounds_done, run.lease_token) == (RunState.RUNNING, 1, None)
    while RunState.RUNNING in {state_of(run), state_of(other)}:
        for each in (other, run):
            advance(each.pk, queue="cpu", engines=engines)
    assert recorded(run) == undisturbed()
    assert recorded(other) == undisturbed(other_spec)


def test_a_turn_does_not_end_while_nobody_waits(
    run: Run, engines: EngineCache, settings: Settings
) -> None:
    settings.SLICE_S = 0.0
    advance(run.pk, queue="cpu", engines=engines)
    assert state_of(run) == RunState.SUCCEEDED


def test_a_checkpoint_is_saved_whenever_it_is_due(
    run: Run, engines: EngineCache, settings: Settings
) -> None:
    settings.CHECKPOINT_EVERY_S = 0.0
    advance(run.pk, queue="cpu", engines=engines)
    saved = RunEvent.objects.filter(run=run, kind="checkpoint_saved").order_by("seq")
    # The cost of saving spreads them; the end is always saved.
    assert saved[len(saved) - 1].data["round_index"] == TINY["rounds"]


def test_a_damaged_checkpoint_costs_time_and_no_number(
    run: Run, editor: User, project: Project, settings: Settings, files: Path
) -> None:
    settings.SLICE_S = 0.0
    other = make_run(editor, project, **TINY)  # somebody who waits, so that the turn ends
    advance(run.pk, queue="cpu", engines=EngineCache())
    (checkpoint,) = (files / f"runs/{run.pk}/checkpoint").iterdir()
    checkpoint.write_bytes(b"x" + checkpoint.read_bytes()[1:])
    services.request_cancel(run=other, user=editor)
    settings.SLICE_S = 3600.0
    advance(run.pk, queue="cpu", engines=EngineCache())
    assert recorded(run) == undisturbed()


def test_a_pause_takes_effect_within_a_round_and_resuming_goes_on(
    editor: User, project: Project, engines: EngineCache
) -> None:
    # Far more rounds than are played: however busy the machine is, the pause comes in between.
    sections = {**TINY, "rounds": 100_000, "local": {"steps": 200}}
    run = make_run(editor, project, **sections)
    with advancing(run, engines):
        wait_until(lambda: run.rounds.count() > 1, within_s=60, what="a round")
        services.request_pause(run=run, user=editor)
    run.refresh_from_db()
    done = run.rounds_done
    assert run.state == RunState.PAUSED
    assert 0 < done < sections["rounds"]
    services.request_resume(run=run, user=editor)
    with advancing(run, engines):
        wait_until(lambda: run.rounds.count() > done + 1, within_s=60, what="another round")
        services.request_cancel(run=run, user=editor)
    assert state_of(run) == RunState.CANCELLED
    found = recorded(run)
    assert len(found) > done + 1
    assert found == undisturbed(sections, len(found))


def test_a_cancel_ends_a_round_of_minutes_at_its_next_batch(
    editor: User, project: Project, engines: EngineCache
) -> None:
    run = make_run(editor, project, **ENDLESS)
    with advancing(run, engines) as thread:
        asked = monotonic()
        services.request_cancel(run=run, user=editor)
        thread.join(60)
        assert monotonic() - asked < 2.0
    run.refresh_from_db()
    assert (run.state, run.rounds_done) == (RunState.CANCELLED, 0)


def test_a_worker_that_has_lost_its_run_stops_and_writes_nothing(
    editor: User, project: Project, engines: EngineCache
) -> None:
    run = make_run(editor, project, **ENDLESS)
    with advancing(run, engines):
        before = kinds(run)
        Run.objects.filter(pk=run.pk).update(lease_token="0" * 32, lease_holder="other")
    run.refresh_from_db()
    assert (run.state, run.lease_holder) == (RunState.RUNNING, "other")
    assert kinds(run) == before


def test_training_that_diverges_fails_with_a_card(
    editor: User, project: Project, engines: EngineCache
) -> None:
    run = make_run(editor, project, **{**TINY, "local": {"lr": 1000.0, "weight_decay": 10.0}})
    advance(run.pk, queue="cpu", engines=engines)
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert run.failure is not None
    assert run.failure["code"] in {"diverged", "too_few_updates"}
    assert run.failure["fix"]
    lost = [client["client_id"] for client in run.failed_clients]
    assert bool(lost) == (run.failure["code"] == "too_few_updates")


def test_an_error_of_ours_fails_the_run_and_shows_no_traceback(run: Run) -> None:
    advance(run.pk, queue="cpu", engines=Fetching(failures=[KeyError("surprise")]))
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert run.failure is not None
    assert run.failure["code"] == "internal_error"
    assert "Traceback" not in run.failure["message"]


def test_what_may_succeed_later_is_tried_again(run: Run) -> None:
    engines = Fetching(failures=[StorageError("no answer"), StorageError("no answer")])
    advance(run.pk, queue="cpu", engines=engines, retries=AT_ONCE)
    assert state_of(run) == RunState.SUCCEEDED


def test_what_never_succeeds_fails_the_run_in_the_end(run: Run) -> None:
    engines = Fetching(failures=[StorageError("no answer", fix="Wait.") for _ in range(9)])
    advance(run.pk, queue="cpu", engines=engines, retries=AT_ONCE)
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert run.failure is not None
    assert (run.failure["code"], run.failure["fix"]) == ("storage_failed", "Wait.")


def test_a_full_disk_for_checkpoints_does_not_stop_training(
    run: Run, editor: User, project: Project, settings: Settings, files: Path
) -> None:
    settings.SLICE_S = 0.0
    make_run(editor, project, **TINY)
    files.write_text("a file where the folder should be")
    advance(run.pk, queue="cpu", engines=EngineCache())
    run.refresh_from_db()
    assert (run.state, run.rounds_done) == (RunState.RUNNING, 1)
    assert "could not be saved" in run.events.get(kind="log").data["message"]


@pytest.mark.parametrize("placement", ["local", "workers"])
def test_clients_that_failed_are_tried_again_alone(
    editor: User,
    project: Project,
    files: Path,
    monkeypatch: pytest.MonkeyPatch,
    placement: str,
) -> None:
    sections = {**TINY, "sampling": {"kind": "full"}}
    runtime = {"executor": "sequential", "min_updates": 4, "placement": placement}
    run = make_run(editor, project, **{**sections, "runtime": runtime})
    trained: list[int] = []
    failing = {1}

    def flaky(method: Any, task: ClientTask, *rest: Any) -> ClientResult:
        trained.append(task.data.client_id)
        if task.data.client_id in failing:
            raise MemoryError("not this time")
        return client_round(method, task, *rest)

    monkeypatch.setattr("fedcore.engine.executor.client_round", flaky)
    advance(run.pk, queue="cpu", engines=EngineCache())
    run.refresh_from_db()
    assert (run.state, [c["client_id"] for c in run.failed_clients]) == (RunState.FAILED, [1])
    (kept,) = files.rglob("*-kept-*")

    failing.clear()
    trained.clear()
    services.request_retry_failed(run=run, user=editor)
    advance(run.pk, queue="cpu", engines=EngineCache())
    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED, run.failure
    assert trained[:5] == [1, 0, 1, 2, 3], "of the first round one, of the next all"
    assert (run.kept_updates, kept.exists()) == (None, False)
    first = recorded(run)[0]
    assert first == pytest.approx(undisturbed(sections, 1)[0], rel=1e-4)
    with pytest.raises(ConflictError):
        services.request_retry_failed(run=run, user=editor)

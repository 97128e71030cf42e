"""Whose turn it is: fair shares, priorities, limits, and the reason that is shown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from tests.factories import begin, make_member, make_project, make_run, make_spec
from tests.webapp.conftest import signed_in
from tests.webapp.simultaneous import at_once
from webapp.accounts.models import Project, User
from webapp.jobs import services
from webapp.jobs.models import ProjectShare, Run
from webapp.jobs.selectors import another_is_next
from webapp.jobs.services import Lease, WorkerReport
from webapp.jobs.states import Priority, RunState


@pytest.fixture
def other(db: None) -> User:
    return make_member(make_project())


def project_of(user: User) -> Project:
    return Project.objects.get(memberships__user=user)


def take_next(queue: str = "cpu", hint: UUID | None = None) -> Lease | None:
    return services.take_run(hint=hint or uuid4(), queue=queue, holder="worker")


def taken(queue: str = "cpu") -> UUID | None:
    lease = take_next(queue)
    return None if lease is None else lease.run_id


def test_a_message_takes_the_run_whose_turn_it_is(
    editor: User, other: User, project: Project
) -> None:
    first, second = make_run(editor, project), make_run(editor, project)
    guest = make_run(other, project_of(other))
    assert take_next(hint=second.pk).run_id == first.pk  # type: ignore[union-attr]
    assert taken() == guest.pk
    assert taken() == second.pk
    assert taken() is None


def test_a_run_with_priority_overtakes_those_of_its_project(
    api: APIClient, editor: User, project: Project
) -> None:
    make_run(editor, project)
    answer = api.post("/api/v1/jobs/", {"name": "now", "spec": {}, "priority": "high"}).json()
    assert answer["priority"] == answer["runs"][0]["priority"] == "high"
    assert answer["runs"][0]["queue"]["position"] == 1
    assert str(taken()) == answer["runs"][0]["id"]


def test_a_message_of_a_run_whose_worker_is_silent_takes_it_over(run: Run) -> None:
    begin(run, now=timezone.now() - timedelta(hours=1))
    lease = take_next(hint=run.pk)
    assert lease is not None
    assert lease.run_id == run.pk


def test_runs_that_need_a_gpu_wait_in_a_queue_of_their_own(editor: User, project: Project) -> None:
    run = make_run(editor, project, runtime={"device": "cuda"})
    assert run.queue == "gpu"
    assert taken("cpu") is None
    assert taken("gpu") == run.pk


def test_a_project_trains_no_more_runs_than_its_limit(
    api: APIClient, editor: User, project: Project
) -> None:
    ProjectShare.objects.create(project=project, max_running=1)
    first, second = make_run(editor, project), make_run(editor, project)
    lease = take_next()
    assert lease is not None
    assert taken() is None
    shown = api.get(f"/api/v1/runs/{second.pk}/").json()["queue"]
    assert "at most 1 run at a time" in shown["reason"]
    services.release_lease(lease=lease)
    assert taken() == second.pk, "the one that has just had a turn goes to the end"
    assert first.pk == lease.run_id


@pytest.mark.django_db(transaction=True)
def test_workers_that_look_at_once_do_not_exceed_the_limit(settings: Settings) -> None:
    settings.MAX_RUNNING = 2
    project = make_project()
    user = make_member(project)
    for _ in range(4):
        make_run(user, project)
    leases = at_once(*[take_next] * 4)
    assert sum(lease is not None for lease in leases) == 2
    assert Run.objects.exclude(lease_token=None).count() == 2


def test_whoever_ends_wakes_a_run_that_waited_for_room(
    editor: User, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    first, second = make_run(editor, project), make_run(editor, project)
    monkeypatch.setattr(
        "webapp.jobs.services.run_changes.send_advance_on_commit",
        lambda run_id, queue: sent.append((run_id, queue)),
    )
    services.request_cancel(run=first, user=editor)
    assert sent == [(second.pk, "cpu")]


def test_a_turn_goes_on_while_nobody_else_would_be_next(
    editor: User, other: User, project: Project
) -> None:
    mine = make_run(editor, project)
    begin(mine)
    assert not another_is_next(mine.pk)
    services.submit_job(
        user=editor,
        project=project,
        name="low",
        spec=make_spec(),
        launch=True,
        priority=Priority.LOW,
    )
    assert not another_is_next(mine.pk), "a run of lower priority waits"
    make_run(editor, project)
    assert another_is_next(mine.pk)


def test_a_turn_ends_for_a_project_that_has_none(
    editor: User, other: User, project: Project
) -> None:
    mine = make_run(editor, project)
    begin(mine)
    services.submit_job(
        user=other,
        project=project_of(other),
        name="guest",
        spec=make_spec(),
        launch=True,
        priority=Priority.LOW,
    )
    assert another_is_next(mine.pk)


def test_more_runs_than_may_wait_are_refused(
    api: APIClient, editor: User, project: Project
) -> None:
    ProjectShare.objects.create(project=project, max_queued=1)
    run = make_run(editor, project)
    answer = api.post("/api/v1/jobs/", {"name": "one more", "spec": {}})
    assert (answer.status_code, answer.json()["code"]) == (429, "quota_exceeded")
    assert run.job.project.jobs.count() == 1
    services.request_cancel(run=run, user=editor)
    make_run(editor, project)
    refused = api.post(f"/api/v1/runs/{run.pk}/retry/")
    assert refused.status_code == 429
    assert Run.objects.get(pk=run.pk).state == RunState.CANCELLED


HARDWARE = {"cpus": 2, "processor": "x86_64", "memory_bytes": 8_000_000_000, "gpus": []}


def report_of(*queues: str, **fields: Any) -> WorkerReport:
    return WorkerReport(
        name="worker-1",
        host="host",
        pid=7,
        version="0",
        queues=queues,
        hardware=HARDWARE,
        started_at=timezone.now(),
        **fields,
    )


def say(report: WorkerReport, run_id: UUID | None = None, ago_s: float = 0) -> None:
    load = {"load_1m": 0.5, "memory_available_bytes": 10}
    now = timezone.now() - timedelta(seconds=ago_s)
    services.report_worker(report=report, load=load, run_id=run_id, now=now)


def test_a_queue_that_no_worker_serves_is_the_reason(
    api: APIClient, editor: User, project: Project
) -> None:
    run = make_run(editor, project, runtime={"device": "cuda"})
    Run.objects.filter(pk=run.pk).update(queued_at=timezone.now() - timedelta(minutes=1))
    say(report_of("cpu"))
    shown = api.get(f"/api/v1/runs/{run.pk}/").json()["queue"]
    assert "No worker serves the gpu queue" in shown["reason"]
    say(report_of("cpu", "gpu"))
    assert "Next in line" in api.get(f"/api/v1/runs/{run.pk}/").json()["queue"]["reason"]


def test_how_long_a_run_waits_follows_from_the_turns_of_the_workers(
    api: APIClient, editor: User, project: Project, settings: Settings
) -> None:
    settings.SLICE_S = 5.0
    waiting = [make_run(editor, project) for _ in range(4)]

    def starts() -> list[float | None]:
        shown = [api.get(f"/api/v1/runs/{run.pk}/").json() for run in waiting]
        return [run["queue"]["starts_in_s"] for run in shown]

    assert starts() == [None] * 4
    say(report_of("cpu"), uuid4())
    assert starts() == [5.0, 10.0, 15.0, 20.0]
    say(report_of("cpu"))
    assert starts() == [0.0, 5.0, 5.0, 10.0]
    ProjectShare.objects.create(project=project, max_running=2)
    assert starts() == [0.0, 5.0, None, None]


def test_workers_are_listed_with_hardware_load_and_what_they_do(
    api: APIClient, stranger: User, run: Run
) -> None:
    busy, silent = report_of("cpu"), report_of("gpu")
    say(busy, run.pk)
    say(silent, ago_s=3600)
    answer = api.get("/api/v1/workers/").json()
    by_id = {row["id"]: row for row in answer["workers"]}
    row = by_id[str(busy.id)]
    assert (row["run"], row["is_busy"], row["is_alive"]) == (str(run.pk), True, True)
    assert row["hardware"]["cpus"] == 2
    assert row["load"] == {"load_1m": 0.5, "memory_available_bytes": 10}
    assert by_id[str(silent.id)]["is_alive"] is False
    assert answer["waiting"] == {"cpu": 1, "gpu": 0}
    seen = {row["id"]: row for row in signed_in(stranger).get("/api/v1/workers/").json()["workers"]}
    assert (seen[str(busy.id)]["run"], seen[str(busy.id)]["is_busy"]) == (None, True)


def test_a_worker_that_ends_takes_its_row_away(api: APIClient) -> None:
    report = report_of("cpu")
    say(report)
    services.forget_worker(worker_id=report.id)
    assert api.get("/api/v1/workers/").json()["workers"] == []

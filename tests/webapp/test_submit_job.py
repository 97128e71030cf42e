"""Submitting a job: all of it or nothing, and the workers are told afterwards."""

from __future__ import annotations

from typing import Any

import pytest
from celery import Celery
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from tests.factories import make_job, make_run, make_spec
from webapp import celery
from webapp.accounts.models import Project, User
from webapp.errors import ForbiddenError, NotFoundError
from webapp.jobs import queue, services
from webapp.jobs.limits import InvalidSpecError
from webapp.jobs.models import Job, Run, RunEvent
from webapp.jobs.states import RunState


def test_a_submitted_job_has_a_queued_run_with_its_first_event(
    editor: User, project: Project
) -> None:
    spec = make_spec(rounds=7)
    job = services.submit_job(user=editor, project=project, name="first", spec=spec, launch=True)
    run = job.runs.get()
    assert (run.state, run.number, run.rounds_total) == (RunState.QUEUED, 1, 7)
    assert run.spec == spec.model_dump(mode="json")
    assert run.digest == spec.digest()
    event = run.events.get()
    assert (event.seq, event.kind) == (1, "state_changed")
    assert event.data == {"from": None, "to": "queued", "reason": ""}


def test_a_job_can_be_saved_without_a_run(editor: User, project: Project) -> None:
    assert make_job(editor, project, launch=False).runs.count() == 0


def test_runs_of_a_job_are_numbered(editor: User, project: Project) -> None:
    job = make_job(editor, project, launch=True)
    services.launch_run(job=job, user=editor)
    assert sorted(job.runs.values_list("number", flat=True)) == [1, 2]


def test_a_model_beyond_the_memory_is_refused_at_the_model(
    editor: User, project: Project, settings: Settings
) -> None:
    settings.MAX_MODEL_BYTES = 1_000
    with pytest.raises(InvalidSpecError) as caught:
        make_run(editor, project)
    assert list(caught.value.fields) == ["model"]
    assert not Job.objects.exists()


def test_a_viewer_cannot_submit(viewer: User, project: Project) -> None:
    with pytest.raises(ForbiddenError):
        make_run(viewer, project)
    assert not Job.objects.exists()


def test_to_a_stranger_the_project_does_not_exist(stranger: User, project: Project) -> None:
    with pytest.raises(NotFoundError):
        make_run(stranger, project)


def test_a_failure_on_the_way_leaves_nothing_behind(
    editor: User, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(RunEvent.objects, "bulk_create", fail)
    with pytest.raises(OSError, match="disk full"):
        make_run(editor, project)
    assert not Job.objects.exists()
    assert not Run.objects.exists()


def test_workers_are_told_after_the_commit_and_not_before(
    editor: User,
    project: Project,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with celery.app.connection() as connection, connection.SimpleQueue("gpu") as waiting:
        waiting.clear()
        with django_capture_on_commit_callbacks(execute=True):
            run = make_run(editor, project)
            # A queue of its own, so that no worker of another test takes the message.
            queue.send_advance_on_commit(run.pk, "gpu")
            assert waiting.qsize() == 0
        message = waiting.get(timeout=5)
        message.ack()
        assert message.headers["task"] == "runs.advance"
        assert message.payload[0] == [str(run.pk)]


def test_a_broker_that_is_down_costs_a_warning_and_the_run_stays_queued(
    editor: User,
    project: Project,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unreachable = Celery(broker="amqp://127.0.0.1:1//")
    unreachable.conf.task_publish_retry = False
    monkeypatch.setattr(queue, "app", unreachable)
    with django_capture_on_commit_callbacks(execute=True):
        run = make_run(editor, project)
    run.refresh_from_db()
    assert run.state == RunState.QUEUED
    assert run.hint_due_at is not None, "the reconciler sends the hint again"

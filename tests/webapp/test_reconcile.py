"""The reconciler: what a crash or a lost message left is repaired."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from django.conf import settings
from django.utils import timezone

from tests.factories import begin, make_run, take
from webapp.accounts.models import Project, User
from webapp.jobs import services
from webapp.jobs.models import Run
from webapp.jobs.states import RunState

LATER = timedelta(seconds=settings.LEASE_S + 1)


def test_a_silent_workers_run_is_freed_and_told_about(run: Run) -> None:
    now = timezone.now()
    begin(run, holder="silent", now=now)
    assert services.reconcile(now=now + LATER) == [run.pk]
    run.refresh_from_db()
    assert run.is_waiting
    assert run.state == RunState.RUNNING
    assert run.events.filter(kind="recovered").count() == 1
    take(run, holder="next", now=now + LATER)
    assert run.events.filter(kind="recovered").count() == 1, "one loss, one event"


def test_a_run_with_a_live_worker_is_left_alone(run: Run) -> None:
    now = timezone.now()
    begin(run, now=now)
    assert services.reconcile(now=now + timedelta(seconds=1)) == []


def test_a_request_to_a_silent_worker_is_carried_out(run: Run, editor: User) -> None:
    now = timezone.now()
    begin(run, now=now)
    services.request_cancel(run=run, user=editor)
    assert services.reconcile(now=now + LATER) == []
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED


def test_a_hint_that_nobody_followed_is_sent_again_ever_more_rarely(run: Run) -> None:
    now = timezone.now()
    assert services.reconcile(now=now + timedelta(seconds=5)) == []
    times = [
        second
        for second in range(0, 600, 5)
        if services.reconcile(now=now + timedelta(seconds=second))
    ]
    gaps = [after - before for before, after in pairwise(times)]
    assert times[0] <= 15
    assert gaps == sorted(gaps)
    assert gaps[-1] <= 125


def test_a_resumed_run_whose_hint_was_lost_is_told_about(run: Run, editor: User) -> None:
    services.pause_run(lease=begin(run))
    services.request_resume(run=run, user=editor)
    assert services.reconcile(now=timezone.now() + timedelta(seconds=15)) == [run.pk]


def test_paused_and_finished_runs_are_not_told_about(
    run: Run, editor: User, project: Project
) -> None:
    services.request_pause(run=run, user=editor)
    services.request_cancel(run=make_run(editor, project), user=editor)
    assert services.reconcile(now=timezone.now() + timedelta(hours=1)) == []


def test_only_the_head_of_a_long_queue_is_told_about(editor: User, project: Project) -> None:
    runs = [make_run(editor, project) for _ in range(25)]
    told = services.reconcile(now=timezone.now() + timedelta(minutes=1))
    assert told == [run.pk for run in runs[:20]]


def test_a_clock_that_was_set_back_keeps_no_run_from_its_next_worker(run: Run) -> None:
    """Its worker is dead, and wrote by a clock that was hours ahead."""
    now = timezone.now()
    begin(run, now=now + timedelta(hours=5))
    assert services.mend_times(now=now) == 1
    assert services.reconcile(now=now) == [], "the worker may be alive"
    assert services.reconcile(now=now + LATER) == [run.pk]


def test_a_reminder_that_was_due_in_seconds_is_due_when_the_clock_is_set_back(run: Run) -> None:
    earlier = timezone.now() - timedelta(hours=5)
    assert services.mend_times(now=earlier) == 1
    assert services.reconcile(now=earlier) == [run.pk]


def test_what_is_due_as_planned_is_left_alone(run: Run, editor: User, project: Project) -> None:
    now = timezone.now()
    begin(make_run(editor, project), now=now)
    assert services.mend_times(now=now) == 0

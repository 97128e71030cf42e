"""Leases: one worker at a time owns a run, and a silent one loses it."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.utils import timezone

from tests.factories import begin, report, take
from webapp.accounts.models import User
from webapp.jobs import services
from webapp.jobs.models import Run
from webapp.jobs.services import LeaseLostError
from webapp.jobs.states import RequestedAction, RunState

LATER = timedelta(seconds=settings.LEASE_S + 1)


def test_a_lease_holds_what_a_worker_needs_to_begin(run: Run) -> None:
    lease = take(run, holder="host-7")
    assert lease.spec == run.spec
    assert (lease.digest, lease.rounds_done, lease.checkpoint) == (run.digest, 0, None)
    run.refresh_from_db()
    assert (run.state, run.lease_holder) == (RunState.STARTING, "host-7")


def test_a_held_run_cannot_be_taken(run: Run) -> None:
    take(run)
    assert services.acquire_lease(run_id=run.pk, holder="another") is None


def test_a_run_that_does_not_exist_cannot_be_taken(db: None) -> None:
    assert services.acquire_lease(run_id=uuid4(), holder="worker") is None


@pytest.mark.parametrize(
    "state", [RunState.PAUSED, RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED]
)
def test_a_run_that_wants_no_work_cannot_be_taken(run: Run, state: RunState) -> None:
    Run.objects.filter(pk=run.pk).update(state=state)
    assert services.acquire_lease(run_id=run.pk, holder="worker") is None


def test_renewing_moves_the_end_and_tells_what_was_requested(run: Run, editor: User) -> None:
    now = timezone.now()
    lease = begin(run, now=now)
    services.request_pause(run=run, user=editor)
    renewed = services.renew_lease(lease=lease, now=now + timedelta(seconds=5))
    assert renewed.expires_at == lease.expires_at + timedelta(seconds=5)
    assert renewed.requested is RequestedAction.PAUSE


def test_a_silent_worker_loses_the_run_to_the_next_which_says_so(run: Run) -> None:
    now = timezone.now()
    old = begin(run, holder="silent", now=now)
    new = take(run, holder="next", now=now + LATER)
    assert new.token != old.token
    event = run.events.get(kind="recovered")
    assert event.data == {"reason": "silent went silent.", "from_round": 0}
    run.refresh_from_db()
    assert run.state == RunState.RUNNING, "recovery keeps the state"


def test_a_lost_lease_can_do_nothing_any_more(run: Run) -> None:
    now = timezone.now()
    lost = begin(run, now=now)
    take(run, holder="next", now=now + LATER)
    for attempt in (
        lambda: services.renew_lease(lease=lost),
        lambda: services.mark_running(lease=lost, executor="sequential"),
        lambda: services.record_round(lease=lost, report=report(0)),
        lambda: services.pause_run(lease=lost),
        lambda: services.cancel_run(lease=lost),
        lambda: services.fail_run(lease=lost, failure=services.Failure(code="x", message="x")),
        lambda: services.finish_run(lease=lost, metrics={}, totals={}, model_artifacts=[]),
    ):
        with pytest.raises(LeaseLostError):
            attempt()
    run.refresh_from_db()
    assert (run.state, run.rounds_done) == (RunState.RUNNING, 0)


def test_an_expired_lease_that_nobody_took_over_still_stands(run: Run) -> None:
    now = timezone.now()
    lease = begin(run, now=now)
    services.record_round(lease=lease, report=report(0), now=now + LATER)
    services.renew_lease(lease=lease, now=now + LATER)


def test_releasing_puts_the_run_at_the_end_of_the_queue(run: Run) -> None:
    now = timezone.now()
    lease = begin(run, now=now)
    services.release_lease(lease=lease, now=now + timedelta(seconds=5))
    run.refresh_from_db()
    assert run.queued_at == now + timedelta(seconds=5)
    assert run.is_waiting
    assert run.state == RunState.RUNNING
    take(run, holder="next")


def test_releasing_a_lost_lease_does_nothing(run: Run) -> None:
    now = timezone.now()
    lost = begin(run, now=now)
    take(run, holder="next", now=now + LATER)
    services.release_lease(lease=lost)
    run.refresh_from_db()
    assert run.lease_holder == "next"


@pytest.mark.parametrize(
    ("requested", "state"),
    [(RequestedAction.PAUSE, RunState.PAUSED), (RequestedAction.CANCEL, RunState.CANCELLED)],
)
def test_what_was_requested_of_a_run_happens_when_its_worker_lets_go(
    run: Run, editor: User, requested: RequestedAction, state: RunState
) -> None:
    lease = begin(run)
    ask = services.request_pause if requested is RequestedAction.PAUSE else services.request_cancel
    ask(run=run, user=editor)
    services.release_lease(lease=lease)
    run.refresh_from_db()
    assert (run.state, run.requested_action) == (state, RequestedAction.NONE)


def test_what_was_requested_of_a_lost_worker_happens_when_the_run_is_taken(
    run: Run, editor: User
) -> None:
    now = timezone.now()
    begin(run, now=now)
    services.request_cancel(run=run, user=editor)
    assert services.acquire_lease(run_id=run.pk, holder="next", now=now + LATER) is None
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED

"""Pause, resume, cancel and retry: at once where no worker holds the run, else by request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from tests.factories import begin, report, take
from webapp.accounts.models import User
from webapp.errors import ForbiddenError
from webapp.jobs import services
from webapp.jobs.models import Run
from webapp.jobs.services import IllegalTransitionError
from webapp.jobs.states import RequestedAction, RunState


def test_pausing_a_queued_run_takes_effect_at_once(run: Run, editor: User) -> None:
    assert services.request_pause(run=run, user=editor).state == RunState.PAUSED


def test_pausing_a_run_between_two_workers_takes_effect_at_once(run: Run, editor: User) -> None:
    services.release_lease(lease=begin(run))
    assert services.request_pause(run=run, user=editor).state == RunState.PAUSED


def test_pausing_a_held_run_asks_its_worker_and_tells_the_viewers(run: Run, editor: User) -> None:
    lease = begin(run)
    paused = services.request_pause(run=run, user=editor)
    assert (paused.state, paused.requested_action) == (RunState.RUNNING, RequestedAction.PAUSE)
    assert editor.username in run.events.get(seq=paused.last_seq).data["message"]
    services.pause_run(lease=lease)
    run.refresh_from_db()
    assert (run.state, run.requested_action) == (RunState.PAUSED, RequestedAction.NONE)
    assert run.lease_token is None


def test_a_run_whose_worker_is_gone_is_paused_at_once(run: Run, editor: User) -> None:
    begin(run, now=timezone.now() - timedelta(seconds=settings.LEASE_S + 1))
    assert services.request_pause(run=run, user=editor).state == RunState.PAUSED


def test_a_run_paused_in_the_queue_goes_back_to_the_queue(run: Run, editor: User) -> None:
    services.request_pause(run=run, user=editor)
    resumed = services.request_resume(run=run, user=editor)
    assert resumed.state == RunState.QUEUED
    assert resumed.is_waiting


def test_a_run_paused_in_training_goes_on_in_training(run: Run, editor: User) -> None:
    services.pause_run(lease=begin(run))
    resumed = services.request_resume(run=run, user=editor)
    assert resumed.state == RunState.RUNNING
    assert resumed.is_waiting, "until a worker takes it"
    take(run)


def test_a_pause_can_be_taken_back_before_the_worker_acts(run: Run, editor: User) -> None:
    lease = begin(run)
    services.request_pause(run=run, user=editor)
    services.request_resume(run=run, user=editor)
    assert services.renew_lease(lease=lease).requested is RequestedAction.NONE


@pytest.mark.parametrize("paused", [False, True])
def test_cancelling_a_run_that_nobody_holds_takes_effect_at_once(
    run: Run, editor: User, *, paused: bool
) -> None:
    if paused:
        services.request_pause(run=run, user=editor)
    cancelled = services.request_cancel(run=run, user=editor)
    assert cancelled.state == RunState.CANCELLED
    assert cancelled.finished_at is not None


def test_cancel_beats_pause(run: Run, editor: User) -> None:
    lease = begin(run)
    services.request_pause(run=run, user=editor)
    services.request_cancel(run=run, user=editor)
    assert services.renew_lease(lease=lease).requested is RequestedAction.CANCEL
    with pytest.raises(IllegalTransitionError):
        services.request_pause(run=run, user=editor)
    services.cancel_run(lease=lease)
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED


def test_cancelling_a_finished_run_is_refused(run: Run, editor: User) -> None:
    services.finish_run(lease=begin(run), metrics={}, totals={}, model_artifacts=[])
    with pytest.raises(IllegalTransitionError, match="succeeded"):
        services.request_cancel(run=run, user=editor)


def test_retrying_a_failed_run_clears_the_failure_and_keeps_what_was_done(
    run: Run, editor: User
) -> None:
    lease = begin(run)
    services.record_round(lease=lease, report=report(0))
    services.record_checkpoint(lease=lease, key="k", size_bytes=1, sha256="s", round_index=1)
    services.fail_run(lease=lease, failure=services.Failure(code="oom", message="Too big."))
    retried = services.request_retry(run=run, user=editor)
    assert (retried.state, retried.attempt) == (RunState.QUEUED, 2)
    assert retried.failure is None
    assert retried.finished_at is None
    lease = take(run)
    assert lease.rounds_done == 1
    assert lease.checkpoint is not None
    assert lease.checkpoint.round_index == 1


def test_a_succeeded_run_cannot_be_retried(run: Run, editor: User) -> None:
    services.finish_run(lease=begin(run), metrics={}, totals={}, model_artifacts=[])
    with pytest.raises(IllegalTransitionError):
        services.request_retry(run=run, user=editor)


def test_a_failure_is_kept_as_a_card_and_long_text_is_cut(run: Run) -> None:
    failure = services.Failure(
        code="client_failed", message="x" * 10_000, client_id=3, round_index=5, fix="Look."
    )
    services.fail_run(lease=begin(run), failure=failure)
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert run.failure is not None
    assert len(run.failure["message"]) == 2_000
    assert (run.failure["client_id"], run.failure["round_index"]) == (3, 5)


@pytest.mark.parametrize(
    "ask",
    [
        services.request_pause,
        services.request_resume,
        services.request_cancel,
        services.request_retry,
    ],
)
def test_a_viewer_controls_nothing(run: Run, viewer: User, ask: Callable[..., Run]) -> None:
    with pytest.raises(ForbiddenError):
        ask(run=run, user=viewer)

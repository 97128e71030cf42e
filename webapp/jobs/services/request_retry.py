from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import F

from webapp.accounts.audit import recorded_as
from webapp.accounts.models import User
from webapp.accounts.permissions import require
from webapp.accounts.roles import Permission
from webapp.errors import ConflictError
from webapp.jobs.chunk_models import Chunk, ChunkState
from webapp.jobs.clock import database_now
from webapp.jobs.models import Run
from webapp.jobs.quotas import refuse_above_quota
from webapp.jobs.services.record_round import discard_kept_updates
from webapp.jobs.services.run_changes import (
    join_queue,
    lock_run,
    refuse_unless_allowed,
    transition,
)
from webapp.jobs.states import RunAction, RunState, SweepState
from webapp.jobs.sweep_models import Sweep


class NothingKeptError(ConflictError):
    code = "nothing_kept"


@recorded_as("run.retry", "run", "state", "requested_action")
@transaction.atomic
def request_retry(*, run: Run, user: User) -> Run:
    """Let a failed or cancelled run go on from its last checkpoint, or from the start without one.

    Rounds that are recorded stay: training them again gives the same numbers. Of a round that was
    shared out, what is done stays too, but for the parts in which clients failed.
    """
    require(user, run.project_id, Permission.WRITE)
    run = lock_run(run.pk)
    refuse_unless_allowed(run, RunAction.RETRY)
    discard_kept_updates(run)
    _drop_parts_with_failures(run)
    _queue_again(run, f"Retried by {user.username}.", kept_updates=None)
    return run


@recorded_as("run.retry_failed", "run", "state", "requested_action")
@transaction.atomic
def request_retry_failed(*, run: Run, user: User) -> Run:
    """Let a run that failed for want of updates try its round again with those clients alone.

    The updates of the others are kept, as they were sent.
    """
    require(user, run.project_id, Permission.WRITE)
    run = lock_run(run.pk)
    if run.state != RunState.FAILED or not run.kept_updates:
        raise NothingKeptError(
            "There are no updates to keep: the run has not failed for want of some, or its method"
            " needs all clients at once. Retry the whole round."
        )
    _queue_again(run, f"The clients that failed are tried again by {user.username}.")
    return run


def _queue_again(run: Run, reason: str, **changes: Any) -> None:
    now = database_now()
    if run.trashed_at is not None:
        raise ConflictError("This run is in the trash. Restore it before you retry it.")
    refuse_above_quota(run.project_id)
    # Of a sweep that is over, this run is under way again; one that was cancelled stays so.
    over = Sweep.objects.filter(job_id=run.job_id, state=SweepState.FINISHED)
    over.update(state=SweepState.RUNNING, finished_at=None)
    transition(
        run,
        RunState.QUEUED,
        reason=reason,
        now=now,
        attempt=run.attempt + 1,
        failure=None,
        failed_clients=[],
        started_at=None,
        finished_at=None,
        pruned=False,
        next_rung=None,  # whoever retries a run wants it trained to its end
        **changes,
        **join_queue(run, now),
    )


def _drop_parts_with_failures(run: Run) -> None:
    """Have the parts of the open round trained again that brought fewer updates than clients."""
    done = Chunk.objects.of_round(run.pk, run.rounds_done).done()
    done.filter(num_updates__lt=F("num_clients")).update(state=ChunkState.DROPPED)

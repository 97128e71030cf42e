from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from webapp.accounts.models import User
from webapp.accounts.permissions import require
from webapp.accounts.roles import Permission
from webapp.errors import ConflictError
from webapp.jobs.models import Run
from webapp.jobs.services.run_changes import (
    join_queue,
    lock_run,
    refuse_unless_allowed,
    transition,
)
from webapp.jobs.states import RunAction, RunState


@transaction.atomic
def request_retry(*, run: Run, user: User) -> Run:
    """Let a failed or cancelled run go on from its last checkpoint, or from the start without one.

    Rounds that are recorded stay: training them again gives the same numbers.
    """
    require(user, run.project_id, Permission.WRITE)
    now = timezone.now()
    run = lock_run(run.pk)
    refuse_unless_allowed(run, RunAction.RETRY)
    if run.trashed_at is not None:
        raise ConflictError("This run is in the trash. Restore it before you retry it.")
    transition(
        run,
        RunState.QUEUED,
        reason=f"Retried by {user.username}.",
        now=now,
        attempt=run.attempt + 1,
        failure=None,
        started_at=None,
        finished_at=None,
        **join_queue(run, now),
    )
    return run

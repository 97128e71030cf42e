from __future__ import annotations

from django.db import transaction

from webapp.accounts.audit import recorded_as
from webapp.accounts.models import User
from webapp.accounts.permissions import require
from webapp.accounts.roles import Permission
from webapp.jobs.clock import database_now
from webapp.jobs.events import LogData
from webapp.jobs.models import Run
from webapp.jobs.services.run_changes import (
    FREE,
    change,
    lock_run,
    refuse_unless_allowed,
    transition,
)
from webapp.jobs.states import RequestedAction, RunAction, RunState


@recorded_as("run.cancel", "run", "state", "requested_action")
@transaction.atomic
def request_cancel(*, run: Run, user: User) -> Run:
    """Cancel at once if no worker holds the run, else ask its worker to; it beats a pause."""
    require(user, run.project_id, Permission.WRITE)
    now = database_now()
    run = lock_run(run.pk)
    refuse_unless_allowed(run, RunAction.CANCEL)
    if run.is_held(now):
        asked = LogData(level="info", message=f"{user.username} asked to cancel the run.")
        change(run, asked, now=now, requested_action=RequestedAction.CANCEL)
        return run
    ended = {**FREE, "requested_action": RequestedAction.NONE, "finished_at": now}
    reason = f"Cancelled by {user.username}."
    transition(run, RunState.CANCELLED, reason=reason, now=now, **ended)
    return run

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
    change,
    join_queue,
    lock_run,
    refuse_unless_allowed,
    transition,
)
from webapp.jobs.states import RequestedAction, RunAction, RunState


@recorded_as("run.resume", "run", "state", "requested_action")
@transaction.atomic
def request_resume(*, run: Run, user: User) -> Run:
    """Let a paused run go on, or take back a pause that its worker has not carried out yet."""
    require(user, run.project_id, Permission.WRITE)
    now = database_now()
    run = lock_run(run.pk)
    refuse_unless_allowed(run, RunAction.RESUME)
    if run.state != RunState.PAUSED:
        taken_back = LogData(level="info", message=f"{user.username} took the pause back.")
        change(run, taken_back, now=now, requested_action=RequestedAction.NONE)
        return run
    to = RunState.RUNNING if run.started_at else RunState.QUEUED
    reason = f"Resumed by {user.username}."
    transition(run, to, reason=reason, now=now, **join_queue(run, now))
    return run

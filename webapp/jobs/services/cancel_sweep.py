from __future__ import annotations

from django.db import transaction

from webapp.accounts.audit import record
from webapp.accounts.models import User
from webapp.accounts.permissions import require
from webapp.accounts.roles import Permission
from webapp.errors import ConflictError, NotFoundError
from webapp.jobs.clock import database_now
from webapp.jobs.models import Job, Run
from webapp.jobs.services.advance_sweep import end_sweep
from webapp.jobs.services.request_cancel import request_cancel
from webapp.jobs.services.run_changes import IllegalTransitionError
from webapp.jobs.states import FINAL_STATES, SweepState
from webapp.jobs.sweep_models import Sweep


class SweepOverError(ConflictError):
    code = "sweep_over"


@transaction.atomic
def cancel_sweep(*, job: Job, user: User) -> Sweep:
    """Make no more runs of the sweep, and cancel those that are under way."""
    require(user, job.project_id, Permission.WRITE)
    sweep = Sweep.objects.select_for_update().filter(pk=job.pk).first()
    if sweep is None:
        raise NotFoundError("This job is no sweep.")
    if sweep.state != SweepState.RUNNING:
        raise SweepOverError(f"This sweep is {sweep.state} already.")
    before, after = {"sweep": sweep.state}, {"sweep": SweepState.CANCELLED}
    record(actor=user, action="sweep.cancel", row=job, before=before, after=after)
    end_sweep(sweep, SweepState.CANCELLED, database_now())
    for run in Run.objects.filter(job=job).exclude(state__in=FINAL_STATES).order_by("pk"):
        try:
            request_cancel(run=run, user=user)
        except IllegalTransitionError:
            continue  # it has ended, or was asked to, in the meantime
    return sweep

from __future__ import annotations

from django.db import transaction

from webapp.accounts.audit import record
from webapp.accounts.models import User
from webapp.accounts.permissions import require
from webapp.accounts.roles import Permission
from webapp.errors import ConflictError, NotFoundError
from webapp.jobs.clock import database_now
from webapp.jobs.models import Job, Run
from webapp.jobs.services.advance_sweep import advance_sweep
from webapp.jobs.services.request_retry import request_retry
from webapp.jobs.states import FINAL_STATES, RunState, SweepState
from webapp.jobs.sweep_models import Sweep


class SweepNotStoppedError(ConflictError):
    code = "sweep_not_stopped"


class SweepStoppingError(ConflictError):
    code = "sweep_stopping"


@transaction.atomic
def resume_sweep(*, job: Job, user: User) -> Sweep:
    """Go on with a sweep that was cancelled: the runs that this ended, and those still to make.

    Runs that had ended by themselves, or were cancelled one by one before, stay as they are.
    """
    require(user, job.project_id, Permission.WRITE)
    sweep = Sweep.objects.select_for_update().filter(pk=job.pk).first()
    if sweep is None:
        raise NotFoundError("This job is no sweep.")
    if sweep.state != SweepState.CANCELLED:
        raise SweepNotStoppedError(f"This sweep is {sweep.state}; only a cancelled one can go on.")
    runs = Run.objects.filter(job=job)
    stopping = runs.exclude(state__in=FINAL_STATES).count()
    if stopping:
        raise SweepStoppingError(f"{stopping} of its runs are still stopping. Try again soon.")
    stopped = list(
        runs.filter(
            state=RunState.CANCELLED,
            pruned=False,
            trashed_at=None,
            finished_at__gte=sweep.finished_at,
        ).order_by("number")
    )
    sweep.state, sweep.finished_at = SweepState.RUNNING, None
    sweep.save(update_fields=["state", "finished_at"])
    before, after = {"sweep": SweepState.CANCELLED}, {"sweep": SweepState.RUNNING}
    record(actor=user, action="sweep.resume", row=job, before=before, after=after)
    for run in stopped:
        rung = run.next_rung
        request_retry(run=run, user=user)
        # Unlike a run that somebody retries by itself, it is still compared with the others.
        Run.objects.filter(pk=run.pk).update(next_rung=rung)
    advance_sweep(job_id=job.pk, now=database_now())
    sweep.refresh_from_db()
    return sweep

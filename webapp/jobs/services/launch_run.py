from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import F

from fedcore.spec import RunSpec, check
from fedcore.spec.workload import workload
from webapp.accounts.audit import record
from webapp.accounts.models import User
from webapp.accounts.permissions import require
from webapp.accounts.roles import Permission
from webapp.errors import ConflictError
from webapp.jobs.clock import database_now
from webapp.jobs.events import StateChangedData
from webapp.jobs.limits import InvalidSpecError, queue_of, refuse_oversized
from webapp.jobs.models import Job, Run
from webapp.jobs.quotas import refuse_above_quota
from webapp.jobs.services.run_changes import change, join_queue
from webapp.jobs.states import RunState
from webapp.jobs.sweep_models import Sweep


class LaunchedOnceError(ConflictError):
    code = "launched_once"


@transaction.atomic
def launch_run(*, job: Job, user: User) -> Run:
    """Start the job once more: a new run with the job's spec joins the queue."""
    require(user, job.project_id, Permission.WRITE)
    if Sweep.objects.filter(job=job).exists():
        raise LaunchedOnceError("A sweep makes its own runs. Submit it again to repeat it.")
    # The job may have been saved by an older version with other rules.
    result = check(job.spec)
    if result.spec is None:
        raise InvalidSpecError.of(result.problems)
    refuse_oversized(result.spec)
    refuse_above_quota(job.project_id)
    run = make_run(job=job, user=user, spec=result.spec, now=database_now())
    record(actor=user, action="run.launch", row=run, after={"digest": run.digest})
    return run


def make_run(*, job: Job, user: User, spec: RunSpec, now: datetime, **of_sweep: Any) -> Run:
    """Add a run to a job's runs and to its queue; whether it may is decided by the caller."""
    Job.objects.filter(pk=job.pk).update(runs_launched=F("runs_launched") + 1)
    job.refresh_from_db(fields=["runs_launched"])
    run = Run(
        id=uuid4(),
        project_id=job.project_id,
        job=job,
        number=job.runs_launched,
        name=job.name,
        method=spec.algorithm.kind,
        dataset=spec.dataset.kind,
        spec=spec.model_dump(mode="json"),
        digest=spec.digest(),
        workload=workload(spec),
        created_by=user,
        rounds_total=spec.rounds,
        queue=queue_of(spec),
        priority=job.priority,
        queued_at=now,
        **of_sweep,
    )
    run.save(force_insert=True)
    queued = StateChangedData.model_validate({"from": None, "to": RunState.QUEUED})
    change(run, queued, now=now, **join_queue(run, now))
    return run

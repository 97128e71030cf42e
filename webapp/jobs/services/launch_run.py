from __future__ import annotations

from uuid import uuid4

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from fedcore.spec import check
from webapp.accounts.models import User
from webapp.accounts.permissions import require
from webapp.accounts.roles import Permission
from webapp.jobs.events import StateChangedData
from webapp.jobs.limits import InvalidSpecError, refuse_oversized
from webapp.jobs.models import Job, Queue, Run
from webapp.jobs.services.run_changes import change, join_queue
from webapp.jobs.states import RunState


@transaction.atomic
def launch_run(*, job: Job, user: User) -> Run:
    """Start the job once more: a new run with the job's spec joins the queue."""
    require(user, job.project_id, Permission.WRITE)
    # The job may have been saved by an older version with other rules.
    result = check(job.spec)
    if result.spec is None:
        raise InvalidSpecError.of(result.problems)
    refuse_oversized(result.spec)

    now = timezone.now()
    Job.objects.filter(pk=job.pk).update(runs_launched=F("runs_launched") + 1)
    job.refresh_from_db(fields=["runs_launched"])
    run = Run(
        id=uuid4(),
        project_id=job.project_id,
        job=job,
        number=job.runs_launched,
        name=job.name,
        spec=result.spec.model_dump(mode="json"),
        digest=result.spec.digest(),
        method=result.spec.algorithm.kind,
        dataset=result.spec.dataset.kind,
        created_by=user,
        rounds_total=result.spec.rounds,
        queue=Queue.CPU,
        queued_at=now,
    )
    run.save(force_insert=True)
    queued = StateChangedData.model_validate({"from": None, "to": RunState.QUEUED})
    change(run, queued, now=now, **join_queue(run, now))
    return run

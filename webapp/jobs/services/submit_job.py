from __future__ import annotations

from django.db import transaction

from fedcore.spec import RunSpec, SweepSpec
from webapp.accounts.audit import record
from webapp.accounts.models import Project, User
from webapp.accounts.permissions import require
from webapp.accounts.roles import Permission
from webapp.jobs.clock import database_now
from webapp.jobs.limits import refuse_oversized
from webapp.jobs.models import Job
from webapp.jobs.quotas import refuse_above_quota
from webapp.jobs.services.advance_sweep import advance_sweep
from webapp.jobs.services.launch_run import launch_run
from webapp.jobs.states import Priority
from webapp.jobs.sweep_models import Sweep


@transaction.atomic
def submit_job(
    *,
    user: User,
    project: Project,
    name: str,
    spec: RunSpec,
    launch: bool,
    is_template: bool = False,
    priority: Priority = Priority.NORMAL,
) -> Job:
    """Save a job and, if asked, launch its first run; all of it or nothing."""
    job = _save(user, project, name, spec, priority, is_template=is_template)
    if launch:
        launch_run(job=job, user=user)
    return job


@transaction.atomic
def submit_sweep(
    *,
    user: User,
    project: Project,
    name: str,
    sweep: SweepSpec,
    priority: Priority = Priority.NORMAL,
) -> Job:
    """Save a job that is a sweep, and launch as many of its runs as may be under way."""
    job = _save(user, project, name, sweep.base_spec, priority)
    refuse_above_quota(project.pk)
    document = sweep.model_dump(mode="json")
    Sweep.objects.create(job=job, document=document, runs_total=sweep.num_runs)
    advance_sweep(job_id=job.pk, now=database_now())
    return job


def _save(
    user: User,
    project: Project,
    name: str,
    spec: RunSpec,
    priority: Priority,
    *,
    is_template: bool = False,
) -> Job:
    require(user, project.pk, Permission.WRITE)
    refuse_oversized(spec)
    job = Job.objects.create(
        project=project,
        name=name,
        spec=spec.model_dump(mode="json"),
        created_by=user,
        priority=priority.rank,
        is_template=is_template,
    )
    facts = {"digest": spec.digest(), "priority": priority, "is_template": is_template}
    record(actor=user, action="job.create", row=job, after=facts)
    return job

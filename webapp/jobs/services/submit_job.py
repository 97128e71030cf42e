from __future__ import annotations

from django.db import transaction

from fedcore.spec import RunSpec
from webapp.accounts.models import Project, User
from webapp.accounts.permissions import require
from webapp.accounts.roles import Permission
from webapp.jobs.limits import refuse_oversized
from webapp.jobs.models import Job
from webapp.jobs.services.launch_run import launch_run


@transaction.atomic
def submit_job(
    *,
    user: User,
    project: Project,
    name: str,
    spec: RunSpec,
    launch: bool,
    is_template: bool = False,
) -> Job:
    """Save a job and, if asked, launch its first run; all of it or nothing."""
    require(user, project.pk, Permission.WRITE)
    refuse_oversized(spec)
    job = Job.objects.create(
        project=project,
        name=name,
        spec=spec.model_dump(mode="json"),
        created_by=user,
        is_template=is_template,
    )
    if launch:
        launch_run(job=job, user=user)
    return job

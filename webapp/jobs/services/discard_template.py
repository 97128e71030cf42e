from __future__ import annotations

from django.db import transaction

from webapp.accounts.audit import recorded_as
from webapp.accounts.models import User
from webapp.accounts.permissions import require
from webapp.accounts.roles import Permission
from webapp.errors import ConflictError
from webapp.jobs.models import Job


@recorded_as("job.discard_template", "job", "name", "is_template")
@transaction.atomic
def discard_template(*, job: Job, user: User) -> None:
    """Delete a template; one that runs were launched from stays as a plain job."""
    require(user, job.project_id, Permission.WRITE)
    job = Job.objects.select_for_update().get(pk=job.pk)
    if not job.is_template:
        raise ConflictError("This job is not a template; its runs belong to it.")
    if job.runs_launched == 0:
        job.delete()
    else:
        Job.objects.filter(pk=job.pk).update(is_template=False)

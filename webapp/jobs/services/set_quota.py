"""How much of the workers a project may have."""

from __future__ import annotations

from django.db import transaction

from webapp.accounts.audit import recorded
from webapp.accounts.models import Project, User
from webapp.accounts.permissions import require_operator
from webapp.jobs.operation_models import ProjectShare


@transaction.atomic
def set_quota(
    *, user: User, project: Project, max_running: int | None, max_queued: int | None
) -> None:
    """Limit a project's runs; an empty limit is that of the installation."""
    require_operator(user)
    share, _ = ProjectShare.objects.get_or_create(project=project)
    columns = ("max_running", "max_queued")
    with recorded(actor=user, action="project.quota", row=share, fields=columns):
        ProjectShare.objects.filter(pk=share.pk).update(
            max_running=max_running, max_queued=max_queued
        )

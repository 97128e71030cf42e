"""How many runs a project may have under way and waiting."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from django.conf import settings

from webapp.errors import DomainError
from webapp.jobs.models import Run
from webapp.jobs.operation_models import ProjectShare
from webapp.jobs.states import RunState


class QuotaError(DomainError):
    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "quota_exceeded"


def refuse_above_quota(project_id: UUID) -> None:
    """Refuse one more run when as many wait already as the project may have."""
    if room_in_queue(project_id) <= 0:
        raise QuotaError(
            f"{max_queued(project_id)} runs of this project wait already, and that is its limit."
            " Wait until some have begun, or cancel some."
        )


def room_in_queue(project_id: UUID) -> int:
    """Return how many more runs may join the queue."""
    return max_queued(project_id) - waiting_runs(project_id)


def waiting_runs(project_id: UUID) -> int:
    return Run.objects.filter(project_id=project_id, state=RunState.QUEUED).count()


def max_queued(project_id: UUID) -> int:
    own = ProjectShare.objects.filter(project_id=project_id).values_list("max_queued", flat=True)
    limit = own.first()
    return settings.MAX_QUEUED if limit is None else limit

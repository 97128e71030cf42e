"""Questions about projects that need the user's permissions."""

from __future__ import annotations

from uuid import UUID

from webapp.accounts.models import Project, User
from webapp.errors import NotFoundError


def get_project(user: User, project_id: UUID) -> Project:
    """Return one of the user's projects, with the user's role as ``viewer_role``."""
    project = Project.objects.visible_to(user).filter(pk=project_id).first()
    if project is None:
        raise NotFoundError("There is no such project.")
    return project

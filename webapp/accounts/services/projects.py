"""Making and changing projects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from webapp.accounts.audit import record
from webapp.accounts.models import Membership, Project, User
from webapp.accounts.permissions import require, require_operator
from webapp.accounts.roles import Permission, Role
from webapp.errors import ConflictError


class NameTakenError(ConflictError):
    code = "name_taken"


@dataclass(frozen=True, slots=True)
class ProjectWishes:
    """What a project is to be; None leaves a part as it is."""

    name: str | None = None


@transaction.atomic
def create_project(*, user: User, name: str) -> Project:
    """Make a project, in which its maker is the first administrator."""
    require_operator(user)
    _refuse_taken(name)
    project = Project.objects.create(name=name)
    Membership.objects.create(user=user, project=project, role=Role.ADMIN)
    record(actor=user, action="project.create", row=project, after={"name": name})
    return project


@transaction.atomic
def change_project(*, user: User, project: Project, wanted: ProjectWishes) -> None:
    """Rename a project."""
    require(user, project.pk, Permission.MANAGE)
    if wanted.name is None or wanted.name == project.name:
        return
    _refuse_taken(wanted.name)
    before: dict[str, Any] = {"name": project.name}
    Project.objects.filter(pk=project.pk).update(name=wanted.name)
    after = {"name": wanted.name}
    record(actor=user, action="project.change", row=project, before=before, after=after)


def _refuse_taken(name: str) -> None:
    if Project.objects.filter(name=name).exists():
        raise NameTakenError(
            "There is a project of this name already.", fields={"name": ["Taken."]}
        )

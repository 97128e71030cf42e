"""Who belongs to a project, and in which role."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from webapp.accounts.audit import record
from webapp.accounts.models import Membership, Project, User
from webapp.accounts.permissions import require
from webapp.accounts.roles import Permission, Role
from webapp.errors import ConflictError, NotFoundError


class LastAdministratorError(ConflictError):
    code = "last_administrator"


@transaction.atomic
def change_role(*, user: User, project: Project, member_id: UUID, role: Role) -> Membership:
    """Give a member another role."""
    require(user, project.pk, Permission.MANAGE)
    membership = _locked(project, member_id)
    if membership.role == role:
        return membership
    if role is not Role.ADMIN:
        _refuse_last(project, membership)
    before, after = {"role": membership.role}, {"role": role.value}
    membership.role = role
    membership.save(update_fields=["role"])
    record(actor=user, action="member.change", row=membership, before=before, after=after)
    return membership


@transaction.atomic
def remove_member(*, user: User, project: Project, member_id: UUID) -> None:
    """Take a member out of a project; everybody may leave by himself."""
    membership = _locked(project, member_id)
    leaves = membership.user_id == user.pk
    require(user, project.pk, Permission.READ if leaves else Permission.MANAGE)
    _refuse_last(project, membership)
    before = {"role": membership.role}
    record(actor=user, action="member.remove", row=membership, before=before)
    Membership.objects.filter(pk=membership.pk).delete()


def _locked(project: Project, member_id: UUID) -> Membership:
    # All administrators are locked, so that two of them cannot remove each other at once.
    people = Membership.objects.filter(project=project, user__is_service=False)
    rows = list(people.select_for_update(of=("self",)).select_related("user", "project"))
    for row in rows:
        if row.pk == member_id:
            return row
    raise NotFoundError("There is no such member.")


def _refuse_last(project: Project, membership: Membership) -> None:
    others = Membership.objects.filter(project=project, role=Role.ADMIN, user__is_service=False)
    if membership.role == Role.ADMIN and not others.exclude(pk=membership.pk).exists():
        raise LastAdministratorError(
            "This is the project's last administrator. Make another member one first."
        )

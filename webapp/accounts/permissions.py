"""Whether a user may do something in a project."""

from __future__ import annotations

from uuid import UUID

from rest_framework.request import Request

from webapp.accounts.models import Membership, User
from webapp.accounts.roles import Permission, Role, allows
from webapp.errors import ForbiddenError, NotFoundError, UnauthenticatedError


def signed_in(request: Request) -> User:
    """Return the user of a request to a view that only lets users in."""
    if not isinstance(request.user, User):
        raise UnauthenticatedError("Sign in first.")
    return request.user


def require(user: User, project_id: UUID, permission: Permission) -> Role:
    """Return the user's role if it grants the permission.

    A project that the user does not belong to does not exist, as far as the answer can tell.
    """
    mine = Membership.objects.filter(user=user, user__is_active=True, project_id=project_id)
    membership = mine.first()
    if membership is None:
        raise NotFoundError("There is no such project.")
    role = Role(membership.role)
    if not allows(role, permission):
        raise ForbiddenError(f"Your role in this project, {role}, does not allow this.")
    return role

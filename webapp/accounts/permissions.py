"""Whether a user may do something in a project."""

from __future__ import annotations

from uuid import UUID

from rest_framework.request import Request

from webapp.accounts.models import Membership, User
from webapp.accounts.roles import Permission, Role, Scope, allows, lowered
from webapp.errors import ForbiddenError, NotFoundError, UnauthenticatedError


class ScopeError(ForbiddenError):
    """The person may, but the token does not lend the right to."""

    code = "scope_too_small"


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
    acts_as = lowered(role, user.token_scope)
    if not allows(acts_as, permission):
        raise ScopeError(f"This token's scope, {user.token_scope}, does not allow this.")
    return acts_as


def require_operator(user: User) -> None:
    """Refuse whoever does not run the installation, or asks with a token that lends less."""
    if not (user.is_superuser and user.is_active):
        raise ForbiddenError("Only an administrator of this installation may do this.")
    if user.token_scope not in (None, Scope.ADMIN):
        raise ScopeError(f"This token's scope, {user.token_scope}, does not allow this.")

"""Tokens of programs: a person's own, and a project's, which acts in an account of its own."""

from __future__ import annotations

import secrets
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from webapp.accounts.audit import record
from webapp.accounts.models import ApiToken, Membership, Project, User
from webapp.accounts.permissions import require
from webapp.accounts.roles import Permission, Scope
from webapp.errors import NotFoundError


@transaction.atomic
def create_token(
    *, user: User, name: str, lifetime: timedelta, scope: Scope = Scope.RUN
) -> tuple[ApiToken, str]:
    """Return a new token's row and the token itself, of which only a hash is stored."""
    row, token = ApiToken.objects.create(
        user=user, expiry=lifetime, name=name, scope=scope, created_by=user
    )
    _record(user, "token.create", row)
    return row, token


@transaction.atomic
def create_project_token(
    *, user: User, project: Project, name: str, lifetime: timedelta, scope: Scope
) -> tuple[ApiToken, str]:
    """Return a token that belongs to a project, and goes on working when its maker has left.

    It acts in an account made for it, so that what it starts does not carry a person's name.
    """
    require(user, project.pk, Permission.MANAGE)
    account = User(username=f"token-{secrets.token_hex(6)}", first_name=name, is_service=True)
    account.set_unusable_password()
    account.save()
    Membership.objects.create(user=account, project=project, role=scope.role)
    row, token = ApiToken.objects.create(
        user=account, expiry=lifetime, name=name, scope=scope, created_by=user, project=project
    )
    _record(user, "token.create", row)
    return row, token


@transaction.atomic
def revoke_token(*, user: User, token_id: UUID) -> None:
    """End one of the user's own tokens."""
    row = ApiToken.objects.filter(user=user, project=None, id=token_id).first()
    if row is None:
        raise NotFoundError("There is no such token.")
    _end(user, row)


@transaction.atomic
def revoke_project_token(*, user: User, project: Project, token_id: UUID) -> None:
    """End a token of a project, and the account that it acted in."""
    require(user, project.pk, Permission.MANAGE)
    row = ApiToken.objects.filter(project=project, id=token_id).first()
    if row is None:
        raise NotFoundError("There is no such token.")
    account = row.user
    _end(user, row)
    # What it started keeps its account's name; the account itself can do nothing any more.
    Membership.objects.filter(user=account).delete()
    User.objects.filter(pk=account.pk).update(is_active=False)


def _end(user: User, row: ApiToken) -> None:
    _record(user, "token.revoke", row)
    ApiToken.objects.filter(pk=row.pk).delete()


def _record(user: User, action: str, row: ApiToken) -> None:
    facts = {"scope": row.scope, "expires_at": row.expiry, "prefix": row.token_key}
    is_new = action == "token.create"
    record(
        actor=user,
        action=action,
        row=row,
        object_id=row.id,
        before=None if is_new else facts,
        after=facts if is_new else None,
    )

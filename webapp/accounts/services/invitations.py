"""Inviting people into a project, and coming in by a link."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from webapp.accounts.audit import record
from webapp.accounts.models import Invitation, Membership, Project, User
from webapp.accounts.permissions import require
from webapp.accounts.roles import Permission, Role
from webapp.accounts.services.invitation_mail import require_mail
from webapp.errors import ConflictError, DomainError, NotFoundError

_CODE_BYTES = 32


class NameUnavailableError(DomainError):
    code = "name_taken"


class WeakPasswordError(DomainError):
    code = "weak_password"


class AlreadyMemberError(ConflictError):
    code = "already_member"


@dataclass(frozen=True, slots=True)
class NewAccount:
    """How somebody who has no account yet wants to sign in."""

    username: str
    password: str


@transaction.atomic
def invite(
    *, user: User, project: Project, role: Role, note: str, lifetime: timedelta, email: str = ""
) -> tuple[Invitation, str]:
    """Return an invitation and its code, of which only a hash is stored.

    Raises:
        NoMailError: If the link is to be mailed, and cannot be from here.
    """
    require(user, project.pk, Permission.MANAGE)
    if email:
        require_mail()
    code = secrets.token_urlsafe(_CODE_BYTES)
    invitation = Invitation.objects.create(
        project=project,
        role=role,
        note=note or email,
        code_sha256=_hash(code),
        created_by=user,
        expires_at=timezone.now() + lifetime,
    )
    after = {"role": role.value, "note": invitation.note, "expires_at": invitation.expires_at}
    if email:
        after["email"] = email
    record(actor=user, action="invitation.create", row=invitation, after=after)
    return invitation, code


@transaction.atomic
def withdraw_invitation(*, user: User, project: Project, invitation_id: UUID) -> None:
    """Make an invitation void."""
    require(user, project.pk, Permission.MANAGE)
    invitation = Invitation.objects.filter(project=project, pk=invitation_id).first()
    if invitation is None:
        raise NotFoundError("There is no such invitation.")
    record(actor=user, action="invitation.withdraw", row=invitation)
    invitation.delete()


def find_invitation(code: str) -> Invitation:
    """Return the invitation of a code.

    Raises:
        NotFoundError: If there is none, or it was used, withdrawn or is too old.
    """
    valid = Invitation.objects.filter(code_sha256=_hash(code), expires_at__gt=timezone.now())
    invitation = valid.select_related("project", "created_by").first()
    if invitation is None or not invitation.created_by.is_active:
        raise NotFoundError("This invitation is not valid any more. Ask for a new one.")
    return invitation


@transaction.atomic
def accept_invitation(*, code: str, by: User | NewAccount) -> User:
    """Make a user, or somebody new, a member of the project, and use the invitation up.

    Whoever invites vouches for the invited: an account made here needs no further approval.
    """
    invitation = find_invitation(code)
    # Of two who use one link at the same time, the second finds it gone.
    if Invitation.objects.select_for_update().filter(pk=invitation.pk).first() is None:
        raise NotFoundError("This invitation is not valid any more. Ask for a new one.")
    user = by if isinstance(by, User) else make_account(by)
    if Membership.objects.filter(user=user, project=invitation.project).exists():
        raise AlreadyMemberError("You belong to this project already.")
    membership = Membership.objects.create(
        user=user, project=invitation.project, role=invitation.role
    )
    after = {"role": invitation.role, "invited_by": invitation.created_by.username}
    record(actor=user, action="member.add", row=membership, after=after)
    invitation.delete()
    return user


def make_account(wanted: NewAccount, *, awaits_approval: bool = False) -> User:
    """Return a new account; one that awaits approval cannot be signed in to before."""
    user = User(
        username=wanted.username, is_active=not awaits_approval, awaits_approval=awaits_approval
    )
    if User.objects.filter(username__iexact=wanted.username).exists():
        raise NameUnavailableError(
            "This name is taken.", fields={"username": ["Choose another name."]}
        )
    try:
        validate_password(wanted.password, user)
    except ValidationError as error:
        raise WeakPasswordError(
            "This password is too easy to guess.", fields={"password": error.messages}
        ) from None
    user.set_password(wanted.password)
    user.save()
    record(actor=user, action="user.create", row=user, after={"is_active": user.is_active})
    return user


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()

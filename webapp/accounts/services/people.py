"""Accounts of the installation: asked for, approved, switched off."""

from __future__ import annotations

from uuid import UUID

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db import transaction

from webapp.accounts.audit import record
from webapp.accounts.models import User
from webapp.accounts.permissions import require_operator
from webapp.accounts.services.invitations import NewAccount, make_account
from webapp.errors import ConflictError, ForbiddenError, NotFoundError
from webapp.settings.env import SignUp


class SignUpClosedError(ForbiddenError):
    code = "sign_up_closed"


@transaction.atomic
def request_account(*, wanted: NewAccount) -> User:
    """Return an account that an operator has to approve before it can be used."""
    if settings.SIGN_UP is not SignUp.APPROVAL:
        raise SignUpClosedError("Accounts cannot be asked for here. Ask for an invitation.")
    return make_account(wanted, awaits_approval=True)


@transaction.atomic
def set_active(*, operator: User, user_id: UUID, active: bool) -> User:
    """Approve an account, or switch it on or off; switched off, its sessions end."""
    require_operator(operator)
    user = User.objects.select_for_update().filter(pk=user_id, is_service=False).first()
    if user is None:
        raise NotFoundError("There is no such user.")
    if user.pk == operator.pk and not active:
        raise ConflictError("You cannot switch yourself off.")
    before = {"is_active": user.is_active, "awaits_approval": user.awaits_approval}
    after = {"is_active": active, "awaits_approval": False}
    if before == after:
        return user
    user.is_active, user.awaits_approval = active, False
    user.save(update_fields=["is_active", "awaits_approval"])
    if not active:
        for session in UserSession.objects.filter(user=user):
            session.end()
    record(actor=operator, action="user.change", row=user, before=before, after=after)
    return user

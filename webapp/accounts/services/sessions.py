"""The browsers in which a user is signed in."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.db import transaction

from webapp.accounts.audit import record
from webapp.accounts.models import User
from webapp.errors import NotFoundError


@transaction.atomic
def end_session(*, user: User, session_id: int) -> None:
    """Sign one browser out."""
    session = UserSession.objects.filter(user=user, pk=session_id).first()
    if session is None:
        raise NotFoundError("There is no such session.")
    _end(user, session)


@transaction.atomic
def end_other_sessions(*, user: User, keep: str | None) -> int:
    """Sign all browsers out but the one with this session key; return how many."""
    others = list(UserSession.objects.filter(user=user).exclude(session_key=keep or ""))
    for session in others:
        _end(user, session)
    return len(others)


def _end(user: User, session: UserSession) -> None:
    before = {"address": session.ip, "browser": session.user_agent}
    record(actor=user, action="session.revoke", row=session, before=before)
    session.end()

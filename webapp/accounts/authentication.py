"""Who is asking: a browser by its session, a program by its token."""

from __future__ import annotations

from datetime import timedelta

from allauth.usersessions.models import UserSession
from django.core.cache.backends.locmem import LocMemCache
from django.db.models import Q
from django.utils import timezone
from knox.auth import TokenAuthentication
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from webapp.accounts.addresses import address_of
from webapp.accounts.models import ApiToken, User
from webapp.accounts.roles import Scope

#: A program may ask many times a second; its token's last use is written down this often.
USE_RECORDED_EVERY = timedelta(minutes=1)


#: Of this process: a Redis that is away must not keep anybody out.
_seen = LocMemCache("sessions seen", {"MAX_ENTRIES": 10_000})


class CsrfFailed(exceptions.PermissionDenied):
    default_code = "csrf_failed"
    default_detail = "The page is out of date. Reload it and try again."


class SessionAuthentication(authentication.SessionAuthentication):
    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except exceptions.PermissionDenied as error:
            raise CsrfFailed from error

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        found: tuple[User, None] | None = super().authenticate(request)
        if found is not None:
            record_session_use(request.session.session_key)
        return found


class BearerTokenAuthentication(TokenAuthentication):  # type: ignore[misc]  # knox has no types
    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        found: tuple[User, ApiToken] | None = super().authenticate(request)
        if found is not None:
            record_use(found[1], address_of(request))
        return found

    def authenticate_credentials(self, token: bytes) -> tuple[User, ApiToken]:
        """Return the token and its user, who may do no more than the token lends."""
        if not (token.isascii() and token.decode().isprintable()):
            raise exceptions.AuthenticationFailed("Invalid token.")
        user, api_token = super().authenticate_credentials(token)
        user.token_scope = Scope(api_token.scope)
        user.token_name = api_token.name
        return user, api_token


def record_session_use(key: str | None) -> None:
    """Write down when a browser was last seen, for the list of sessions."""
    if key and _seen.add(key, 1, USE_RECORDED_EVERY.total_seconds()):
        UserSession.objects.filter(session_key=key).update(last_seen_at=timezone.now())


def record_use(token: ApiToken, address: str | None) -> None:
    """Write down when a token was last used, and from where."""
    now = timezone.now()
    due = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_RECORDED_EVERY)
    if token.last_used_at is None or token.last_used_at < now - USE_RECORDED_EVERY:
        mine = ApiToken.objects.filter(due, pk=token.pk)
        mine.update(last_used_at=now, last_used_from=address)

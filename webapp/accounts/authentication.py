"""Who is asking: a browser by its session, a program by its token."""

from __future__ import annotations

from knox.auth import TokenAuthentication
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from webapp.accounts.models import ApiToken, User


class CsrfFailed(exceptions.PermissionDenied):
    default_code = "csrf_failed"
    default_detail = "The page is out of date. Reload it and try again."


class SessionAuthentication(authentication.SessionAuthentication):
    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except exceptions.PermissionDenied as error:
            raise CsrfFailed from error


class BearerTokenAuthentication(TokenAuthentication):  # type: ignore[misc]  # knox has no types
    def authenticate_credentials(self, token: bytes) -> tuple[User, ApiToken]:
        if not (token.isascii() and token.decode().isprintable()):
            raise exceptions.AuthenticationFailed("Invalid token.")
        user, api_token = super().authenticate_credentials(token)
        return user, api_token

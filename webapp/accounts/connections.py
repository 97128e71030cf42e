"""Who opens a websocket, and from which page."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest
from rest_framework.exceptions import AuthenticationFailed

from webapp.accounts.authentication import BearerTokenAuthentication, record_use
from webapp.accounts.models import User
from webapp.readers import doorkeeper

_BEARER = "bearer "


async def user_of(scope: dict[str, Any]) -> User | None:
    """Return the user whose session cookie or token opened the connection, if it is still good.

    Asked again while the connection is open, it notices a sign-out and a revoked token.
    """
    return await doorkeeper.read(_user_of, scope)


def _user_of(scope: dict[str, Any]) -> User | None:
    authorization = _header(scope, b"authorization")
    if authorization.lower().startswith(_BEARER):
        client = scope.get("client") or (None,)
        return _user_of_token(authorization[len(_BEARER) :].strip(), client[0])
    return _user_of_session(_header(scope, b"cookie"))


def _user_of_token(token: str, address: str | None) -> User | None:
    try:
        user, api_token = BearerTokenAuthentication().authenticate_credentials(token.encode())
    except AuthenticationFailed:
        return None
    record_use(api_token, address)
    return user


def _user_of_session(cookies: str) -> User | None:
    try:
        cookie = SimpleCookie(cookies).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return None
    if cookie is None:
        return None
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(cookie.value)
    user = get_user(request)
    return user if isinstance(user, User) else None


def _header(scope: dict[str, Any], name: bytes) -> str:
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return ""


class OwnPagesOnly:
    """Refuses websockets that another site's page opens with our user's cookie.

    Browsers always send an Origin and let no page change it; programs send none.
    """

    def __init__(self, application: ASGI3Application) -> None:
        self.application = application

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        if _comes_from_own_page(dict(scope)):
            await self.application(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 4403, "reason": "foreign origin"})


def _comes_from_own_page(scope: dict[str, Any]) -> bool:
    origin = _header(scope, b"origin")
    if not origin or origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    return urlsplit(origin).netloc == _header(scope, b"host")

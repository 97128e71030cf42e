"""Guessing passwords must be slow."""

from __future__ import annotations

import hashlib

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle, UserRateThrottle
from rest_framework.views import APIView


class GuessThrottle(SimpleRateThrottle):
    """Counts attempts as they come, so that many at once count too, and takes back the right ones.

    Only the attempt itself is taken back: who knows one password gets no further guess at another.
    """

    key: str | None = None
    duration: float

    def forgive(self) -> None:
        """Take this attempt back: it was no guess."""
        if self.key is None:
            return
        history = list(self.cache.get(self.key, []))
        if self.now in history:
            history.remove(self.now)
            self.cache.set(self.key, history, self.duration)


class LoginThrottle(GuessThrottle):
    """Limits attempts on one name from one address."""

    scope = "login"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        data = request.data if isinstance(request.data, dict) else {}
        name = str(data.get("username", ""))[:200].casefold()
        # Hashed, for a cache key must not contain whatever was typed.
        ident = hashlib.sha256(f"{self.get_ident(request)} {name}".encode()).hexdigest()
        return self.cache_format % {"scope": self.scope, "ident": ident}


class LoginAddressThrottle(GuessThrottle):
    """Limits attempts on all names from one address."""

    scope = "login_address"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}


class DoorThrottle(SimpleRateThrottle):
    """Limits what somebody who is not signed in may try from one address."""

    scope = "door"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}


class MailThrottle(UserRateThrottle):
    """Limits the mails that one user has sent to addresses of their choice."""

    scope = "mail"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        data = request.data if isinstance(request.data, dict) else {}
        return super().get_cache_key(request, view) if data.get("email") else None

"""How many requests one user, or one address without a user, may make in a minute.

Counted per minute and kept in the cache, so that all web processes that share one count together.
The last minute counts in part: what is left of it is what would still be in a sliding minute.
"""

from __future__ import annotations

import hashlib
import math
import time
from typing import TYPE_CHECKING, ClassVar

import structlog
from django.conf import settings
from django.core.cache import cache
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from webapp.accounts.models import User

if TYPE_CHECKING:  # views look for the throttles of the settings while they are being imported
    from rest_framework.views import APIView

_MINUTE_S = 60

log = structlog.get_logger(__name__)


class RateLimit(BaseThrottle):
    """Counts what ``ident`` names; a request that is refused does not count."""

    scope: ClassVar[str]
    _wait_s = 0.0

    def ident(self, request: Request) -> str | None:
        """Return who is counted; None if the request does not count."""
        raise NotImplementedError

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Return whether there may be one more."""
        ident = self.ident(request)
        if ident is None:
            return True
        try:
            return self._count(ident, settings.RATE_LIMITS[self.scope], time.time())
        except ValueError as error:
            # A counter is gone between two of its uses, because Redis was flushed. The limits
            # protect the service; losing one must not end it.
            log.warning("rate limits not counted", error=str(error))
            return True

    def wait(self) -> float:
        """Return the seconds after which to try again."""
        return self._wait_s

    def _count(self, ident: str, limit: int, now: float) -> bool:
        minute = int(now // _MINUTE_S)
        passed = now / _MINUTE_S - minute
        before = cache.get(f"rate:{self.scope}:{ident}:{minute - 1}", 0) * (1 - passed)
        key = f"rate:{self.scope}:{ident}:{minute}"
        cache.add(key, 0, timeout=2 * _MINUTE_S)
        if before + cache.incr(key) <= limit:
            return True
        cache.decr(key)
        self._wait_s = math.ceil(_MINUTE_S * min(1 - passed, 1 / 6))
        return False


class UserRateLimit(RateLimit):
    """All requests of one user, whether by session or by token."""

    scope = "requests"

    def ident(self, request: Request) -> str | None:
        return str(request.user.pk) if isinstance(request.user, User) else None


class ChangeRateLimit(UserRateLimit):
    """Those of them that may change something or make a worker work."""

    scope = "changes"

    def ident(self, request: Request) -> str | None:
        return None if request.method in SAFE_METHODS else super().ident(request)


class AnonymousRateLimit(RateLimit):
    """Requests to what is open to everybody, from one address."""

    scope = "anonymous"

    def ident(self, request: Request) -> str | None:
        if isinstance(request.user, User):
            return None
        # Hashed, for a cache key must not contain whatever a header says.
        return hashlib.sha256(str(self.get_ident(request)).encode()).hexdigest()

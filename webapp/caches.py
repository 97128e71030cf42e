"""Redis as a cache that may be away."""

from __future__ import annotations

import math
from collections.abc import Callable
from time import monotonic
from typing import Any

import structlog
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

#: So long Redis is left alone after it did not answer: each try may take its time-out.
PAUSE_S = 5.0

log = structlog.get_logger(__name__)


def _steady(name: str) -> Callable[..., Any]:
    def method(self: SteadyRedisCache, *args: Any, **options: Any) -> Any:
        return self.ask(name, *args, **options)

    method.__name__ = name
    return method


class SteadyRedisCache(RedisCache):
    """Keeps what it is given in the memory of this process while Redis does not answer.

    What lies here are counters that limit how often somebody may try something. While Redis is
    away each process counts by itself: nobody is kept out for it, and nobody guesses freely.
    """

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._local = LocMemCache(f"instead of {id(self)}", {})
        self._away_until = -math.inf

    def ask(self, name: str, *args: Any, **options: Any) -> Any:
        """Return what a method of the cache returns, be it of Redis or of this process."""
        if monotonic() >= self._away_until:
            try:
                return getattr(super(), name)(*args, **options)
            except (RedisError, OSError) as error:
                self._away_until = monotonic() + PAUSE_S
                log.warning("redis does not answer, counting here", error=str(error))
        return getattr(self._local, name)(*args, **options)

    add = _steady("add")
    get = _steady("get")
    set = _steady("set")
    touch = _steady("touch")
    delete = _steady("delete")
    get_many = _steady("get_many")
    has_key = _steady("has_key")
    incr = _steady("incr")
    set_many = _steady("set_many")
    delete_many = _steady("delete_many")
    clear = _steady("clear")

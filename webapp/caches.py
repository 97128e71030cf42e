"""Redis as a cache that may be away."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Any

import structlog
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

#: So long Redis is left alone after it did not answer: each try may take its time-out.
PAUSE_S = 5.0
#: Counters that the memory of a process holds; beyond it, the ones unused for longest go.
MAX_ENTRIES = 20_000

log = structlog.get_logger(__name__)

#: By server, when it is asked again. Django makes a cache per request: they all look here.
_ask_again_at: dict[str, float] = {}
_lock = Lock()


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
        self._server = str(server)
        options = {"OPTIONS": {"MAX_ENTRIES": MAX_ENTRIES}}
        # The name makes it one memory for all caches of this server.
        self._local = LocMemCache(f"instead of {self._server}", options)

    def ask(self, name: str, *args: Any, **options: Any) -> Any:
        """Return what a method of the cache returns, be it of Redis or of this process."""
        if _may_ask(self._server):
            try:
                answer = getattr(super(), name)(*args, **options)
            except (RedisError, OSError) as error:
                _ask_again_at[self._server] = monotonic() + PAUSE_S
                log.warning("redis does not answer, counting here", error=str(error))
            else:
                _ask_again_at.pop(self._server, None)
                return answer
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


def _may_ask(server: str) -> bool:
    """Return whether to ask Redis; after a pause the first who comes finds out for all."""
    with _lock:
        again_at = _ask_again_at.get(server)
        if again_at is None:
            return True
        now = monotonic()
        if now < again_at:
            return False
        _ask_again_at[server] = now + PAUSE_S
        return True

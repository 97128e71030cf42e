"""The places of requests that are worked on at once, and how one is left before its time.

Apart from ``request_threads``, because commands that load no Django use what stands aside, too.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar


class Place:
    """One of the few, for as long as a request computes."""

    def __init__(self, places: asyncio.Semaphore) -> None:
        self._places = places
        self._loop = asyncio.get_running_loop()
        self._is_taken = False

    async def take(self) -> None:
        """Wait until it is this request's turn."""
        await self._places.acquire()
        self._is_taken = True
        _place.set(self)

    def give_up(self) -> None:
        """Let the next request in; to be called by the event loop, again at will."""
        if self._is_taken:
            self._is_taken = False
            self._places.release()

    def give_up_soon(self) -> None:
        """Let the next request in; to be called by the request's thread."""
        self._loop.call_soon_threadsafe(self.give_up)


_place: ContextVar[Place | None] = ContextVar("place", default=None)


def stand_aside() -> None:
    """Let the next request in: this one will wait for another machine, which may take long."""
    place = _place.get()
    if place is not None:
        place.give_up_soon()

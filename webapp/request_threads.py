"""Which thread answers a request: one that is free, with a database connection that stays open.

Django's own handler makes a thread per request, and so a connection, which takes longer than most
of what requests ask for.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from asgiref.sync import ThreadSensitiveContext
from django.core.handlers.asgi import ASGIHandler
from django.db import connections

#: Threads that are kept for the next requests; more at once get threads that end with them.
MOST_IDLE = 8


class _RequestThread(ThreadPoolExecutor):
    """One thread that knows whether it is at work."""

    def __init__(self) -> None:
        super().__init__(1, "request")
        self._last: Future[Any] | None = None

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run something after what is running."""
        self._last = super().submit(fn, *args, **kwargs)
        return self._last

    @property
    def is_idle(self) -> bool:
        return self._last is None or self._last.done()


class Handler(ASGIHandler):
    """Django's handler, whose requests take turns on threads that stay."""

    def __init__(self) -> None:
        super().__init__()
        self._idle: list[_RequestThread] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        thread = self._idle.pop() if self._idle else _RequestThread()
        try:
            async with ThreadSensitiveContext(executor=thread):
                await self.handle(scope, receive, send)
        finally:
            # A client that goes away may leave its thread at work: nobody else waits for that.
            if thread.is_idle and len(self._idle) < MOST_IDLE:
                self._idle.append(thread)
            else:
                thread.submit(connections.close_all)
                thread.shutdown(wait=False)

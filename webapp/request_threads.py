"""Which thread answers a request: one that is free, with a database connection that stays open.

Django's own handler makes a thread per request, and so a connection, which takes longer than most
of what requests ask for. And it goes from the event loop to the thread and back for every
middleware, which takes longer again; here the thread does all of it in one go.

Few requests are worked on at once, the others wait in the order in which they came. One interpreter
computes one thing at a time, and one file of SQLite is written by one: a crowd that all worked at
once would mostly be in each other's way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.db import close_old_connections, connections
from django.http import HttpRequest, HttpResponseBase

from webapp.request_places import Place

#: Requests that are worked on at the same time by one process.
MOST_AT_ONCE = 8
#: Threads that are kept for the next requests. There are more while some stand aside.
MOST_IDLE = MOST_AT_ONCE


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

    def when_idle(self, do: Callable[[], None]) -> None:
        """Have the event loop do something once what is running has ended."""
        loop = asyncio.get_running_loop()

        def tell(_: Future[Any]) -> None:
            with suppress(RuntimeError):  # the server has stopped meanwhile
                loop.call_soon_threadsafe(do)

        if self._last is not None:
            self._last.add_done_callback(tell)


class Handler(ASGIHandler):
    """Django's handler, whose requests take turns on threads that stay."""

    def __init__(self) -> None:
        super().__init__()
        self._idle: list[_RequestThread] = []
        self._places = asyncio.Semaphore(MOST_AT_ONCE)
        #: What there is to do before and after: signals, closing, and reading what is sent.
        self._odd_jobs = ThreadPoolExecutor(MOST_AT_ONCE, "odd-jobs")

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: FBT001, FBT002  Django's
        """Prepare all of it to be called on a thread, whatever kind of handler asks."""
        del is_async
        super().load_middleware()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async with ThreadSensitiveContext(executor=self._odd_jobs):
            await self.handle(scope, receive, send)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Return what the middleware and the view answer, from a thread that is free.

        A request has its place and its thread meanwhile alone: how long the rest takes, until all
        of it is here and until its answer is sent, is up to who asked.
        """
        place = Place(self._places)
        await place.take()
        thread = self._idle.pop() if self._idle else _RequestThread()
        try:
            async with ThreadSensitiveContext(executor=thread):
                return await sync_to_async(self._answer)(request)
        finally:
            self._leave(thread, place)

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        close_old_connections()  # of this thread; the signals before and after are on another
        return self.get_response(request)

    def _leave(self, thread: _RequestThread, place: Place) -> None:
        """Let the next request in, once this one's thread is done.

        A client that goes away leaves its thread at work. That takes a place as any work does,
        unless it stands aside, or quick cancellations would let in as many as there are.
        """
        if not thread.is_idle:
            thread.when_idle(lambda: self._leave(thread, place))
            return
        place.give_up()
        if len(self._idle) < MOST_IDLE:
            self._idle.append(thread)
        else:
            thread.submit(connections.close_all)
            thread.shutdown(wait=False)

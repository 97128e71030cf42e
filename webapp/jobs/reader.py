"""Database reads of the websockets: one thread, one connection that stays open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connection

P = ParamSpec("P")
T = TypeVar("T")


class Reader:
    """Runs queries for coroutines.

    A connection per look, as for HTTP requests, costs more than the look: news come many times a
    second. With one thread, viewers take turns and the database sees one more client, however many
    they are.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="live-reader")

    async def read(self, query: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what the query returns, once more if the connection was lost in between."""

        def run() -> T:
            try:
                return query(*args, **kwargs)
            except (OperationalError, InterfaceError):
                connection.close()
                return query(*args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._thread, run)

    def close(self) -> None:
        """Close the connection; the next read opens one again."""
        self._thread.submit(_close_connection).result()


def _close_connection() -> None:
    """Close the connection of the thread that calls this; each thread has its own."""
    connection.close()


reader = Reader()

"""Database reads of the websockets: few threads, each with a connection that stays open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connection

P = ParamSpec("P")
T = TypeVar("T")


class Reader:
    """Runs queries for coroutines, one after another, on one connection.

    News come many times a second, and viewers in crowds: with one thread they take turns, and the
    database sees one more client, however many they are.
    """

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

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


#: Reads what has happened to runs.
reader = Reader("live-reader")
#: Finds out who somebody is. A crowd at the door does not keep those inside from their news.
doorkeeper = Reader("doorkeeper")

"""Sending a long answer piece by piece, whichever kind of server asks for the pieces."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db import connections
from rest_framework.request import Request

Piece = TypeVar("Piece", str, bytes)

#: Pieces that one process makes at the same time.
MOST_AT_ONCE = 4

#: Apart from the threads that answer requests: none of those waits for a long answer.
_makers = ThreadPoolExecutor(MOST_AT_ONCE, "pieces")


def in_pieces(request: Request, pieces: Iterator[Piece]) -> Iterator[Piece] | AsyncIterator[Piece]:
    """Return pieces as the server that sends them takes them, each made when it is asked for.

    Under ASGI, Django would read a synchronous iterator to its end before it sends anything. Each
    piece may be made by another thread, and so with another connection to the database.
    """
    asynchronous = isinstance(request._request, ASGIRequest)  # noqa: SLF001
    return _made_elsewhere(pieces) if asynchronous else pieces


async def _made_elsewhere(pieces: Iterator[Piece]) -> AsyncIterator[Piece]:
    make = sync_to_async(_next_of, thread_sensitive=False, executor=_makers)
    while (piece := await make(pieces)) is not None:
        yield piece


def _next_of(pieces: Iterator[Piece]) -> Piece | None:
    try:
        return next(pieces, None)
    finally:
        connections.close_all()  # the next piece may be long in coming

"""A client that sees an answer as a server sends it: piece by piece, by the real application."""

from __future__ import annotations

from typing import Any

from asgiref.testing import ApplicationCommunicator
from django.test import Client

from webapp.accounts.models import User
from webapp.asgi import application


def cookie_of(user: User) -> bytes:
    """Return the cookie of a user who is signed in."""
    browser = Client()
    browser.force_login(user)
    return f"roundhouse_session={browser.cookies['roundhouse_session'].value}".encode()


async def pieces_of(path: str, cookie: bytes) -> list[bytes]:
    """Return what is sent when a path is asked for, in the pieces in which it comes."""
    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": query.encode(),
        "headers": [(b"host", b"testserver"), (b"cookie", cookie)],
    }
    connection = ApplicationCommunicator(application, scope)
    await connection.send_input({"type": "http.request", "body": b"", "more_body": False})
    assert (await connection.receive_output(10))["status"] == 200
    pieces, more = [], True
    while more:
        message: dict[str, Any] = await connection.receive_output(10)
        pieces.append(message.get("body", b""))
        more = message.get("more_body", False)
    await connection.wait(10)
    return pieces

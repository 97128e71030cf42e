"""Refuses large bodies before Django stores them.

Django's ASGI handler writes a whole body to disk before any view can look at it; one of unknown
length (chunked) would have no limit at all.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import cast

from asgiref.typing import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGIReceiveEvent,
    ASGISendCallable,
    HTTPScope,
    Scope,
)
from django.conf import settings

from webapp.api.errors import error_body, too_large_message

#: What is read and thrown away, so that the sender, who reads only when done, gets the answer.
_PATIENCE_BYTES = 64 * 1024 * 1024


class BodyLimit:
    def __init__(self, application: ASGI3Application) -> None:
        self.application = application

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        limit: int = settings.MAX_BODY_BYTES
        if _declared_length(cast("HTTPScope", scope)) > limit:
            await _refuse(receive, send, limit)
            return
        # Bodies within the limit are small, so the whole is read here and handed on.
        messages: list[ASGIReceiveEvent] = []
        size, more = 0, True
        while more:
            message = await receive()
            messages.append(message)
            if message["type"] != "http.request":
                break
            size += len(message["body"])
            more = message["more_body"]
            if size > limit:
                await _refuse(receive, send, limit)
                return
        waiting = iter(messages)

        async def receive_again() -> ASGIReceiveEvent:
            return next(waiting, None) or await receive()

        await self.application(scope, receive_again, send)


def _declared_length(scope: HTTPScope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


async def _refuse(receive: ASGIReceiveCallable, send: ASGISendCallable, limit: int) -> None:
    thrown_away = 0
    while thrown_away < _PATIENCE_BYTES:
        message = await receive()
        if message["type"] != "http.request":
            return
        thrown_away += len(message["body"])
        if not message["more_body"]:
            break
    body = json.dumps(error_body("payload_too_large", too_large_message(limit))).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send(
        {
            "type": "http.response.start",
            "status": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "headers": headers,
            "trailers": False,
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})

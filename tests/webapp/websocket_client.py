"""A websocket client for tests: it talks to the real ASGI application, without a network."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from asgiref.testing import ApplicationCommunicator

from webapp.asgi import application

WITHIN_S = 10.0
HOST = "testserver"

Frame = dict[str, Any]


class Viewer:
    """One open connection; frames are read one by one, or collected until a condition holds."""

    def __init__(self, communicator: ApplicationCommunicator) -> None:
        self._communicator = communicator
        self.frames: list[Frame] = []

    async def message(self) -> dict[str, Any]:
        """Return the next ASGI message."""
        received: dict[str, Any] = await self._communicator.receive_output(WITHIN_S)
        return received

    async def say(self, **content: Any) -> None:
        """Send ``text`` or ``bytes``, as no page of ours does."""
        await self._communicator.send_input({"type": "websocket.receive", **content})

    async def frame(self) -> Frame:
        """Return the next frame."""
        message = await self.message()
        assert message["type"] == "websocket.send", message
        frame: Frame = json.loads(message["text"])
        self.frames.append(frame)
        return frame

    async def is_silent(self, for_s: float) -> bool:
        """Return whether nothing comes for a while."""
        return bool(await self._communicator.receive_nothing(for_s))

    async def until_event(self, seq: int) -> None:
        """Read frames until the event with this number has come."""
        while not any(number >= seq for number in self.seqs):
            await self.frame()

    async def until_state(self, state: str) -> Frame:
        """Read frames until one shows the run in this state."""
        while True:
            frame = await self.frame()
            if frame.get("run", {}).get("state") == state:
                return frame

    async def close_code(self) -> int:
        """Read until the server closes, and return the code."""
        while True:
            message = await self.message()
            if message["type"] == "websocket.close":
                return int(message["code"])

    @property
    def events(self) -> list[dict[str, Any]]:
        """All events so far, in the order in which they came."""
        return [event for frame in self.frames for event in frame.get("events", [])]

    @property
    def seqs(self) -> list[int]:
        return [event["seq"] for event in self.events]


@asynccontextmanager
async def watching(
    run_id: UUID | str,
    *,
    query: str = "",
    cookie: str = "",
    token: str = "",
    authorization: str = "",
    origin: str | None = f"http://{HOST}",
    path: str = "/ws/runs/{run_id}/",
) -> AsyncIterator[Viewer]:
    """Open the websocket of a run and close it at the end."""
    headers = [(b"host", HOST.encode())]
    if cookie:
        headers.append((b"cookie", f"roundhouse_session={cookie}".encode()))
    if token:
        authorization = f"Bearer {token}"
    if authorization:
        headers.append((b"authorization", authorization.encode()))
    if origin is not None:
        headers.append((b"origin", origin.encode()))
    scope = {
        "type": "websocket",
        "path": path.format(run_id=run_id),
        "raw_path": b"",
        "query_string": query.encode(),
        "headers": headers,
        "subprotocols": [],
    }
    communicator = ApplicationCommunicator(application, scope)
    await communicator.send_input({"type": "websocket.connect"})
    try:
        yield Viewer(communicator)
    finally:
        await communicator.send_input({"type": "websocket.disconnect", "code": 1000})
        await communicator.wait(WITHIN_S)


async def accepted(viewer: Viewer) -> Viewer:
    """Return the viewer once the server has accepted the connection."""
    message = await viewer.message()
    assert message["type"] == "websocket.accept", message
    return viewer

"""Hostile websockets: each is closed with the code that says why, and shows nothing of a run."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.test import Client

from tests.factories import make_member, make_project, make_run
from tests.hostile.conftest import Note, rows
from webapp.asgi import application
from webapp.jobs.models import Run

pytestmark = pytest.mark.django_db(transaction=True)
WITHIN_S = 10.0
FOREIGN, UNAUTHENTICATED, NOT_FOUND, UNSUPPORTED = 4403, 4401, 4404, 1003


def _stage() -> tuple[Run, str]:
    project = make_project()
    user = make_member(project)
    browser = Client()
    browser.force_login(user)
    return make_run(user, project), browser.cookies["roundhouse_session"].value


def _socket(path: str, query: bytes, headers: list[tuple[bytes, bytes]]) -> ApplicationCommunicator:
    scope = {
        "type": "websocket",
        "path": path,
        "raw_path": path.encode("utf-8", "replace"),
        "query_string": query,
        "headers": headers,
        "subprotocols": [],
    }
    return ApplicationCommunicator(application, scope)


async def outcome(socket: ApplicationCommunicator, *said: dict[str, Any]) -> tuple[int, list[str]]:
    """Return the code of the close, and the texts that were sent before it."""
    await socket.send_input({"type": "websocket.connect"})
    texts: list[str] = []
    while True:
        message = await socket.receive_output(WITHIN_S)
        if message["type"] == "websocket.close":
            await socket.send_input({"type": "websocket.disconnect", "code": 1000})
            await socket.wait(WITHIN_S)
            return message.get("code", 1000), texts
        if message["type"] == "websocket.send":
            texts.append(message.get("text") or "")
            for content in said:
                await socket.send_input({"type": "websocket.receive", **content})
            said = ()


ORIGINS = [
    *(
        b"https://evil.example",
        b"null",
        b"http://testserver.evil.example",
        b"http://testserver@evil",
    ),
    *(
        b"http://testserver:81",
        b"file://",
        b"http://evil/testserver",
        b"\xff\xfe",
        b"//testserver.x",
    ),
]


@pytest.mark.parametrize("origin", ORIGINS)
async def test_pages_of_other_sites(origin: bytes, tried: Note) -> None:
    run, cookie = await sync_to_async(_stage)()
    headers = [
        (b"host", b"testserver"),
        (b"origin", origin),
        (b"cookie", f"roundhouse_session={cookie}".encode()),
    ]
    code, texts = await outcome(_socket(f"/ws/runs/{run.pk}/", b"", headers))
    assert (code, texts) == (FOREIGN, [])
    tried("web-sockets", "pages of other sites", str(code))


CREDENTIALS: list[tuple[bytes, bytes]] = [
    (b"x", b"nothing"),
    *(
        (b"cookie", value)
        for value in (
            b"roundhouse_session=" + b"x" * 9_000,
            b"roundhouse_session=gASVAAAA",
            b"roundhouse_session=../../etc/passwd",
            b"roundhouse_session=%00",
            b"roundhouse_session=' OR 1=1--",
            b"roundhouse_session=",
            b"\xff\xfe=\x00;;;",
            b"sessionid=x; csrftoken=y",
        )
    ),
    *(
        (b"authorization", value)
        for value in (
            b"Bearer",
            b"Bearer ",
            b"Bearer " + b"x" * 9_000,
            b"Bearer rh_\xff",
            b"Bearer rh_\x00\x01",
            b"Bearer ' OR 1=1--",
            b"Basic YWRtaW46YWRtaW4=",
            b"Bearer null",
        )
    ),
]


@pytest.mark.parametrize(("name", "value"), CREDENTIALS)
async def test_credentials(name: bytes, value: bytes, tried: Note) -> None:
    run, _ = await sync_to_async(_stage)()
    headers = [(b"host", b"testserver"), (name, value)]
    code, texts = await outcome(_socket(f"/ws/runs/{run.pk}/", b"", headers))
    assert (code, texts) == (UNAUTHENTICATED, [])
    tried("web-sockets", "credentials that are none", str(code))


PATHS = [
    *("/ws/", "/ws/runs/", "/ws/runs/7/", "/ws/runs/../../etc/passwd/", "/ws/runs/\x00/", "/", ""),
    *("/api/v1/runs/", "/ws/runs/%2e%2e/", "/ws/runs/' OR 1=1/", "/ws/" + "x" * 9_000, "/\u202e"),
    "/ws/runs/00000000-0000-4000-8000-000000000000/",
]


@pytest.mark.parametrize("path", PATHS)
async def test_paths(path: str, tried: Note) -> None:
    _, cookie = await sync_to_async(_stage)()
    headers = [(b"host", b"testserver"), (b"cookie", f"roundhouse_session={cookie}".encode())]
    code, texts = await outcome(_socket(path, b"", headers))
    assert (code, texts) == (NOT_FOUND, [])
    tried("web-sockets", "addresses of nothing", str(code))


QUERIES = [
    *(b"after=-1", b"after=NaN", b"after=1e9", b"after=" + b"9" * 5_000, b"after=", b"after[]=1"),
    *(b"after=%00", b"after=\xff\xfe", b"&" * 5_000, b"after=" + "\u0663".encode(), b"token=rh_x"),
    b"&".join(b"a%d=1" % n for n in range(3_000)),
]
MESSAGES: list[dict[str, Any]] = [
    *(
        {"text": text}
        for text in ("", "{}", "[", "[" * 50_000, '{"type":"pause"}', "\x00", "x" * 60_000)
    ),
    *({"bytes": content} for content in (b"", b"\x80\x04.", b"\xff" * 1_000, b"\x00")),
]


@pytest.mark.parametrize("said", MESSAGES, ids=range(len(MESSAGES)))
async def test_messages(said: dict[str, Any], tried: Note) -> None:
    run, cookie = await sync_to_async(_stage)()
    before = await sync_to_async(rows)()
    headers = [(b"host", b"testserver"), (b"cookie", f"roundhouse_session={cookie}".encode())]
    code, _ = await outcome(_socket(f"/ws/runs/{run.pk}/", b"", headers), said)
    assert code == UNSUPPORTED
    assert await sync_to_async(rows)() == before
    tried("web-sockets", "messages to a socket that only speaks", str(code))


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
async def test_queries(query: bytes, tried: Note) -> None:
    """What is no number counts as none: the run is shown from its first event on."""
    run, cookie = await sync_to_async(_stage)()
    headers = [(b"host", b"testserver"), (b"cookie", f"roundhouse_session={cookie}".encode())]
    code, texts = await outcome(_socket(f"/ws/runs/{run.pk}/", query, headers), {"text": "end"})
    assert code == UNSUPPORTED
    assert texts[0].startswith('{"type":"snapshot"')
    tried("web-sockets", "positions that are none", "from the start")

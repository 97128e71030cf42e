"""Long answers are sent piece by piece, and keep no other request waiting."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from rest_framework.request import Request

from tests.factories import make_member, make_project, make_run
from tests.webapp.asgi_client import cookie_of, pieces_of
from webapp.accounts.models import AuditEntry, User
from webapp.api.pieces import in_pieces
from webapp.jobs.models import Run, RunEvent
from webapp.request_threads import MOST_AT_ONCE, Handler

MANY = 1_100


def _much_to_export() -> tuple[Run, bytes]:
    project = make_project()
    user = make_member(project)
    run = make_run(user, project)
    _log_much(run)
    _audit_much(user)
    return run, cookie_of(user)


def _log_much(run: Run) -> None:
    RunEvent.objects.filter(run=run).delete()
    lines = ({"level": "info", "message": f"line {number}"} for number in range(MANY))
    RunEvent.objects.bulk_create(
        RunEvent(run=run, seq=number, kind="log", data=data, created_at=timezone.now())
        for number, data in enumerate(lines, start=1)
    )


def _audit_much(user: User) -> None:
    AuditEntry.objects.bulk_create(
        AuditEntry(actor_id=user.pk, action="run.pause", object_name=f"line {number}")
        for number in range(MANY)
    )


@pytest.mark.django_db(transaction=True)
async def test_exports_are_made_chunk_by_chunk_and_whole() -> None:
    run, cookie = await sync_to_async(_much_to_export)()
    expected = [f"line {number}" for number in range(MANY)]
    log = await pieces_of(f"/api/v1/runs/{run.pk}/logs/?download=true", cookie)
    assert _found(log) == expected
    for kind in ("csv", "jsonl"):
        audit = await pieces_of(f"/api/v1/audit/export/?as={kind}&action=run.pause", cookie)
        assert _found(audit) == expected[::-1]
    assert max(piece.count(b"line ") for piece in [*log, *audit]) < MANY / 2


def _found(pieces: list[bytes]) -> list[str]:
    return re.findall(r"line \d+", b"".join(pieces).decode())


class Exporter(Handler):
    """Answers ``/export`` with pieces that take their time, and all else at once."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        if request.path != "/export":
            return HttpResponse(status=204)
        return StreamingHttpResponse(in_pieces(Request(request), self._slow()))

    def _slow(self) -> Iterator[str]:
        self.go_on.wait(10)
        yield "a piece"


async def _asked(handler: Handler, path: str) -> ApplicationCommunicator:
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
    asked = ApplicationCommunicator(handler, scope)
    await asked.send_input({"type": "http.request"})
    return asked


@pytest.mark.django_db
async def test_slow_exports_keep_no_request_waiting() -> None:
    handler = Exporter()
    exports = [await _asked(handler, "/export") for _ in range(MOST_AT_ONCE + 2)]
    for one in exports:
        assert (await one.receive_output())["status"] == 200
    quick = await _asked(handler, "/")
    assert (await quick.receive_output())["status"] == 204
    await quick.wait()
    handler.go_on.set()
    for one in exports:
        assert (await one.receive_output())["body"] == b"a piece"
        await one.receive_output()
        await one.wait()

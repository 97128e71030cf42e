"""Where each message goes, below the address of the server."""

from __future__ import annotations

from typing import Final
from uuid import UUID

API: Final = "/api/v1/site/"

ENROL: Final = API + "enrol/"  # POST EnrolmentRequest -> EnrolmentReply; not signed, but proven
STATUS: Final = API + "status/"  # GET -> SiteStatus
HEARTBEAT: Final = API + "heartbeat/"  # POST Heartbeat -> HeartbeatReply
KEY: Final = API + "key/"  # POST KeyRotation -> SiteStatus; signed by the old key
TASKS: Final = API + "tasks/"  # GET -> TaskList
SOCKET: Final = "/ws/site/"  # the handshake is signed like a GET; frames are Hint


def run(run_id: UUID) -> str:
    """Return where a run is described: GET -> RunDescription."""
    return f"{API}runs/{run_id}/"


def accept(task_id: UUID) -> str:
    """Return where a task is taken on: POST, an empty object -> Task."""
    return f"{TASKS}{task_id}/accept/"


def refuse(task_id: UUID) -> str:
    """Return where a task is refused: POST Refusal -> 204."""
    return f"{TASKS}{task_id}/refuse/"


def fail(task_id: UUID) -> str:
    """Return where a task is given up: POST TaskFailure -> 204."""
    return f"{TASKS}{task_id}/fail/"


def message(task_id: UUID) -> str:
    """Return where a task's message is: GET with ``Range: bytes=N-`` -> bytes."""
    return f"{TASKS}{task_id}/message/"


def upload(task_id: UUID) -> str:
    """Return where a task's bytes go.

    GET -> UploadState; PUT ``?offset=N`` with the next bytes -> UploadState. A PUT at another
    offset than the one that the server has arrived at is answered 409 with that offset.
    """
    return f"{TASKS}{task_id}/upload/"


def result(task_id: UUID) -> str:
    """Return where a task is ended: POST TaskResult -> 204."""
    return f"{TASKS}{task_id}/result/"

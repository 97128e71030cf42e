"""Bytes that come in pieces: each stored by itself, put together when all are there.

Any web process takes any piece. Storage may be objects that cannot be appended to, so a piece is an
object, and the row says in which order they belong together.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from webapp.artifacts.services import StoredFile, discard_file, join_parts, store_part
from webapp.sites.errors import ChecksumError, TaskNotWantedError, WrongOffsetError
from webapp.sites.models import Site, SiteTask
from webapp.sites.work_models import TaskState

#: A piece that is not the last has at least so many bytes: each is a file and a change of a row.
SMALLEST_PIECE = 64 * 1024


def add_piece(*, site: Site, task: SiteTask, offset: int, piece: bytes) -> int:
    """Store the next bytes of a task's result; return how many there are now.

    Raises:
        TaskNotWantedError: If nobody waits for them any more.
        WrongOffsetError: If they are not the next ones.
        ChecksumError: If they are more than the result may have, or too few for a piece.
    """
    end = offset + len(piece)
    if end > task.max_result_bytes:
        raise ChecksumError(
            f"The result of this task has at most {task.max_result_bytes} bytes.",
            fields={"offset": [f"{end} bytes are too many."]},
        )
    if len(piece) < min(SMALLEST_PIECE, task.max_result_bytes - offset):
        raise ChecksumError(f"A piece has {SMALLEST_PIECE} bytes or more, unless it is the last.")
    if task.received_bytes != offset:
        raise _other_offset(task)
    stored = store_part(
        run_id=task.run_id,
        name=f"{task.pk}-{offset}.piece",
        payload=piece,
        can_be_made_again=True,  # by the site, which is told that its sum is wrong
    )
    try:
        return _append(task, offset, stored)
    except (TaskNotWantedError, WrongOffsetError):
        discard_file(key=stored.key)
        raise


def _append(task: SiteTask, offset: int, stored: StoredFile) -> int:
    """Add a piece to the row, unless another request has come first, or nobody waits any more."""
    received = offset + stored.size_bytes
    # What was read before is still so if the row has as many bytes.
    wanted = SiteTask.objects.wanted().filter(state=TaskState.ACCEPTED)
    hit = SiteTask.objects.filter(
        pk__in=wanted.filter(pk=task.pk).values("pk"), received_bytes=offset
    ).update(
        received_bytes=received,
        piece_keys=[*task.piece_keys, stored.key],
        stage="uploading",
        fraction=min(1.0, received / max(task.max_result_bytes, 1)),
    )
    if hit:
        return received
    if not wanted.filter(pk=task.pk).exists():
        raise TaskNotWantedError("Nobody waits for this task any more, or it was not accepted.")
    task.refresh_from_db(fields=["received_bytes"])
    raise _other_offset(task)


def join_pieces(task: SiteTask, *, sha256: str | None, size_bytes: int) -> StoredFile:
    """Return the whole result of a task as one file.

    Raises:
        ChecksumError: If it is not what the site speaks of; its pieces are forgotten.
    """
    if sha256 is None or task.received_bytes != size_bytes:
        raise ChecksumError(
            f"{task.received_bytes} bytes of the result have arrived, not {size_bytes}.",
            fields={"size_bytes": [f"The server has {task.received_bytes} bytes."]},
        )
    name = f"{task.round_index}-{task.kind}-{task.client_id}-{task.attempt}.result"
    stored = join_parts(run_id=task.run_id, name=name, keys=task.piece_keys, sha256=sha256)
    if stored is None:
        forget_pieces(task)
        raise ChecksumError("What has arrived is not what was sent. Send it again.")
    return stored


def forget_pieces(task: SiteTask) -> None:
    """Let the site send its result again, from the beginning."""
    SiteTask.objects.filter(pk=task.pk).update(received_bytes=0, piece_keys=[])
    drop_pieces(task)


def drop_pieces(task: SiteTask) -> None:
    """Remove the files of a task's pieces once the transaction is durable."""
    keys: Sequence[str] = tuple(task.piece_keys)

    def discard() -> None:
        for key in keys:
            discard_file(key=key)

    transaction.on_commit(discard, robust=True)


def _other_offset(task: SiteTask) -> WrongOffsetError:
    return WrongOffsetError(
        f"The next byte of this result is number {task.received_bytes}.",
        fields={"offset": [f"Go on at {task.received_bytes}."]},
    )

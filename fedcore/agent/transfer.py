"""Models down and updates up, in pieces: what has arrived is not sent again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from fedcore.agent.connection import NO_RANGES, Connection, RejectedError, UnreachableError
from fedcore.clients.training import Interrupted, ShouldStop
from fedcore.errors import WireError
from fedcore.sites import routes
from fedcore.sites.messages import ErrorCode
from fedcore.sites.tasks import Blob, UploadState

_READ_BYTES = 1 << 20
_PART = ".part"


@dataclass(frozen=True)
class Transfer:
    """The way of one task's bytes.

    Attributes:
        connection: To the server.
        task_id: Whose bytes they are.
        report: Told the fraction that has arrived.
        should_stop: Asked for every piece.
    """

    connection: Connection
    task_id: UUID
    report: Callable[[float], None]
    should_stop: ShouldStop

    def download(self, blob: Blob, target: Path) -> None:
        """Fetch the task's message, from where an earlier attempt has stopped.

        Args:
            blob: Its size and hash.
            target: File for it; beside it grows one that ends in ``.part``.

        Raises:
            UnreachableError: If the connection breaks; call again to go on.
            RejectedError: If the server refuses.
            WireError: If what has arrived is not what was announced; the next call begins anew.
            Interrupted: If ``should_stop`` said so.
        """
        if target.exists():
            return
        part = target.with_name(target.name + _PART)
        part.touch(mode=0o600)
        if part.stat().st_size < blob.size_bytes:
            self._fetch_rest(blob, part)
        if part.stat().st_size != blob.size_bytes or hash_of(part) != blob.sha256:
            part.unlink()
            raise WireError("the message that has arrived is not the one that was announced")
        part.replace(target)

    def upload(self, source: Path, piece_bytes: int) -> None:
        """Send the task's result, from where an earlier attempt has stopped.

        Args:
            source: File with it.
            piece_bytes: Longest piece that the server takes.

        Raises:
            UnreachableError: If the connection breaks; call again to go on.
            RejectedError: If the server refuses.
            Interrupted: If ``should_stop`` said so.
        """
        target = routes.upload(self.task_id)
        size = source.stat().st_size
        # One piece is sent sooner than it is asked for; a server that has it already says so.
        fits = size <= piece_bytes
        received = 0 if fits else self.connection.get(target, UploadState).received_bytes
        with source.open("rb") as file:
            while received < size:
                self._check()
                self.report(received / size)
                file.seek(received)
                received = self._put(target, received, file.read(piece_bytes))

    def _fetch_rest(self, blob: Blob, part: Path) -> None:
        have, source = part.stat().st_size, routes.message(self.task_id)
        try:
            with self.connection.fetch(source, have) as pieces, part.open("ab") as file:
                for size in _written(pieces, file.write, have, blob.size_bytes):
                    self.report(size / blob.size_bytes)
                    self._check()
        except RejectedError as error:
            if error.said != NO_RANGES:
                raise
            part.unlink()
            raise UnreachableError(
                "the server cannot go on with a download; it begins again"
            ) from error
        if part.stat().st_size < blob.size_bytes:
            raise UnreachableError("the download has stopped before its end")

    def _put(self, target: str, offset: int, piece: bytes) -> int:
        """Return how much the server has after one more piece, wherever it says to go on."""
        try:
            state = self.connection.put(f"{target}?offset={offset}", piece, UploadState)
        except RejectedError as error:
            if error.said != ErrorCode.WRONG_OFFSET:
                raise
            state = self.connection.get(target, UploadState)
            if state.received_bytes == offset:
                raise  # it says two things at once; asking again would go on for ever
        return state.received_bytes

    def _check(self) -> None:
        if self.should_stop():
            raise Interrupted


def hash_of(file: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        for piece in iter(lambda: stream.read(_READ_BYTES), b""):
            digest.update(piece)
    return digest.hexdigest()


def _written(
    pieces: Iterator[bytes], write: Callable[[bytes], object], have: int, size: int
) -> Iterator[int]:
    """Write pieces and yield how much there is; more than was announced is refused at once."""
    for piece in pieces:
        have += len(piece)
        if have > size:
            raise WireError(f"the message is longer than the {size} bytes that were announced")
        write(piece)
        yield have

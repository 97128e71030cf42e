"""Putting a run's files into storage and getting them back, with a checksum both ways.

Bytes are stored first and recorded after (``jobs.services.record_checkpoint``, ``finish_run``):
a row never points at a file that is not complete.
"""

from __future__ import annotations

import hashlib
import secrets
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO, Protocol, cast
from uuid import UUID

from django.core.files import File
from django.core.files.storage import default_storage

from fedcore.errors import CheckpointError
from webapp.artifacts.models import Artifact, ArtifactKind

#: Folder of a run's parts of rounds, which are files without a row of their own.
_PARTS = "parts"
_BLOCK = 1024 * 1024
#: A tar of more than this is spooled to disk while it is made.
_IN_MEMORY = 32 * _BLOCK
_MAX_MEMBERS = 10_000


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A complete file in storage that no row names yet."""

    key: str
    name: str
    size_bytes: int
    sha256: str


def store_model(*, run_id: UUID, path: Path) -> StoredFile:
    """Copy one file of a trained model into storage."""
    with path.open("rb") as file:
        return _store(run_id, ArtifactKind.MODEL, path.name, file)


def store_checkpoint(*, run_id: UUID, folder: Path) -> StoredFile:
    """Pack the files of a folder into one object, so that they exist together or not at all."""
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as packed:
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for path in sorted(folder.rglob("*")):
                archive.add(path, arcname=path.relative_to(folder).as_posix(), recursive=False)
        return _store(run_id, ArtifactKind.CHECKPOINT, "checkpoint.tar", packed)


def store_state(*, run_id: UUID, name: str, pieces: Sequence[bytes | memoryview]) -> StoredFile:
    """Store a checkpoint of one file, as ``store_checkpoint``, but do not wait for the disk.

    Until ``sync_file`` a power cut may take it.
    """
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as packed:
        member = tarfile.TarInfo(name)
        member.size = sum(memoryview(piece).nbytes for piece in pieces)
        packed.write(member.tobuf())
        for piece in pieces:
            packed.write(piece)
        packed.write(bytes(-member.size % tarfile.BLOCKSIZE + 2 * tarfile.BLOCKSIZE))
        kind = ArtifactKind.CHECKPOINT
        return _store(run_id, kind, "checkpoint.tar", packed, _storage().save_unsynced)


def sync_file(*, key: str) -> None:
    """Return when a file that was stored survives a power cut."""
    _storage().sync(key)


def read_state(*, key: str, sha256: str) -> bytes:
    """Return the only file of a checkpoint.

    Raises:
        CheckpointError: As ``restore_folder``.
    """
    with _opened(key, sha256) as (archive, members):
        content = archive.extractfile(members[0]) if len(members) == 1 else None
        if content is None:
            raise CheckpointError("The checkpoint file holds what no checkpoint has.", key=key)
        return content.read()


def store_part(
    *, run_id: UUID, name: str, payload: bytes, can_be_made_again: bool = False
) -> StoredFile:
    """Put what a part of a round came to into storage, for whoever finishes the round.

    What can be made again is stored sooner: a power cut may take it.
    """
    save = _storage().save_unsynced if can_be_made_again else None
    return _store(run_id, _PARTS, name, BytesIO(payload), save)


def read_part(*, key: str, sha256: str) -> bytes | None:
    """Return what ``store_part`` stored; None if it is gone, or not what was stored."""
    if not default_storage.exists(key):
        return None
    with default_storage.open(key, "rb") as file:
        payload: bytes = file.read()
    return payload if hashlib.sha256(payload).hexdigest() == sha256 else None


def join_parts(*, run_id: UUID, name: str, keys: Sequence[str], sha256: str) -> StoredFile | None:
    """Put files that ``store_part`` stored together into one; None if that has another checksum."""
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as whole:
        for key in keys:
            if not default_storage.exists(key):
                return None
            with default_storage.open(key, "rb") as file:
                while block := file.read(_BLOCK):
                    whole.write(block)
        whole.seek(0)
        if _digest(whole)[0] != sha256:
            return None
        return _store(run_id, _PARTS, name, whole)


def discard_parts(*, run_id: UUID) -> None:
    """Remove what is left of a run's parts, also what killed workers have left behind."""
    folder = _folder(run_id, _PARTS)
    try:
        names = default_storage.listdir(folder)[1]
    except FileNotFoundError:
        return
    for name in names:
        default_storage.delete(f"{folder}/{name}")


def restore_folder(*, key: str, sha256: str, into: Path) -> None:
    """Unpack what ``store_checkpoint`` stored.

    Raises:
        CheckpointError: If the file is missing or its bytes are not the ones that were stored.
    """
    with _opened(key, sha256) as (archive, members):
        archive.extractall(into, members=members, filter="data")


@contextmanager
def _opened(key: str, sha256: str) -> Iterator[tuple[tarfile.TarFile, list[tarfile.TarInfo]]]:
    """Yield an archive of ours and what is in it."""
    if not default_storage.exists(key):
        raise CheckpointError("The checkpoint file is missing.", key=key)
    with default_storage.open(key, "rb") as file:
        if _digest(file)[0] != sha256:
            raise CheckpointError("The checkpoint file is damaged.", key=key)
        file.seek(0)
        try:
            with tarfile.open(fileobj=file, mode="r:") as archive:
                yield archive, _plain_members(archive, key)
        except (tarfile.TarError, ValueError) as error:
            raise CheckpointError("The checkpoint file is no archive of ours.", key=key) from error


def _plain_members(archive: tarfile.TarFile, key: str) -> list[tarfile.TarInfo]:
    """Return what an archive of ours holds: a few files and folders, none larger than they are.

    Raises:
        CheckpointError: If it holds anything else, such as links, or a hole that unpacks to more
            than was stored.
    """
    members: list[tarfile.TarInfo] = []
    for member in archive:
        path = PurePosixPath(member.name)
        is_inside = not path.is_absolute() and ".." not in path.parts
        if not (is_inside and (member.isreg() or member.isdir())) or member.issparse():
            raise CheckpointError("The checkpoint file holds what no checkpoint has.", key=key)
        members.append(member)
        if len(members) > _MAX_MEMBERS:
            raise CheckpointError("The checkpoint file holds too many files.", key=key)
    return members


def discard_file(*, key: str) -> None:
    """Remove a stored file that was not recorded."""
    default_storage.delete(key)


def discard_other_checkpoints(*, run_id: UUID, keep: str) -> None:
    """Remove the run's checkpoint files but one, also those that a killed worker left behind."""
    folder = _folder(run_id, ArtifactKind.CHECKPOINT)
    for name in default_storage.listdir(folder)[1]:
        key = f"{folder}/{name}"
        if key != keep:
            default_storage.delete(key)


def newest_checkpoint(run_id: UUID) -> tuple[str, int, str, int] | None:
    """Return key, size in bytes, SHA-256 and rounds of a run's newest checkpoint, if it has one."""
    checkpoints = Artifact.objects.filter(run_id=run_id, kind=ArtifactKind.CHECKPOINT)
    newest = checkpoints.order_by("-round_index", "-created_at")
    return newest.values_list("key", "size_bytes", "sha256", "round_index").first()


class _Storage(Protocol):
    """What both kinds of storage can do beyond Django's own."""

    def save_unsynced(self, name: str, content: File[bytes]) -> str: ...

    def sync(self, name: str) -> None: ...


def _storage() -> _Storage:
    return cast("_Storage", default_storage)


def _folder(run_id: UUID, kind: str) -> str:
    return f"runs/{run_id}/{kind}"


def _store(
    run_id: UUID,
    kind: str,
    name: str,
    file: IO[bytes],
    save: Callable[[str, File[bytes]], str] | None = None,
) -> StoredFile:
    file.seek(0)
    sha256, size_bytes = _digest(file)
    file.seek(0)
    # Two workers may store at once, one of them after losing its lease: never the same key.
    key = f"{_folder(run_id, kind)}/{secrets.token_hex(8)}-{name}"
    stored = (save or default_storage.save)(key, File(file, name=name))
    return StoredFile(key=stored, name=name, size_bytes=size_bytes, sha256=sha256)


def _digest(file: IO[bytes]) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while block := file.read(_BLOCK):
        digest.update(block)
        size += len(block)
    return digest.hexdigest(), size

"""Files that are whole or absent, and stay so when the power fails."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.core.files import File
from django.core.files.storage import FileSystemStorage
from django.utils.deconstruct import deconstructible


@deconstructible(path="webapp.artifacts.storage.AtomicFileSystemStorage")
class AtomicFileSystemStorage(FileSystemStorage):
    """Writes beside the target, syncs, then renames: a reader never meets half a file.

    Django's own storage writes in place, so a worker killed in the middle would leave a damaged
    checkpoint under a good name.
    """

    def _save(self, name: str, content: File[bytes]) -> str:
        target = Path(self.path(name))
        with _draft(target, content) as file:
            os.fsync(file.fileno())
        _sync(target.parent)
        return name

    def sync(self, name: str) -> None:
        """Return when a file is on the disk under its name."""
        target = Path(self.path(name))
        _sync(target)
        _sync(target.parent)

    def save_unsynced(self, name: str, content: File[bytes]) -> str:
        """Save what can be made again: whole or absent too, but a power cut may take it."""
        with _draft(Path(self.path(name)), content):
            return name


@contextmanager
def _draft(target: Path, content: File[bytes]) -> Iterator[IO[bytes]]:
    """Yield a file with the content, which appears under its name when the block ends well."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with draft.open("xb") as file:
            for chunk in content.chunks():
                file.write(chunk)
            file.flush()
            yield file
        draft.rename(target)
    finally:
        draft.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Make a file durable, or the names in a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

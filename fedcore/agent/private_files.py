"""Small files that only their owner can read, complete or not there at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from fedcore.errors import PermanentError
from fedcore.files import flush_directory

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_FOLDER_MODE = 0o700
_FILE_MODE = 0o600


class ExposedFileError(PermanentError):
    """A file that holds a secret can be read by others."""

    code = "file_exposed"


def make_private_folder(folder: Path) -> None:
    """Make a folder, and those above it, for its owner alone; what is there stays as it is."""
    for path in reversed([folder, *folder.parents]):
        path.mkdir(exist_ok=True, mode=_FOLDER_MODE)


def write_private(path: Path, content: bytes) -> None:
    """Replace a file; it is private from its first byte on.

    Raises:
        OSError: If it cannot be written; the old file is then untouched.
    """
    make_private_folder(path.parent)
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    flush_directory(path.parent)


def read_private(path: Path) -> bytes | None:
    """Return what is in a file, or None if there is no such file.

    Raises:
        ExposedFileError: If others can read or write it.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if os.fstat(file.fileno()).st_mode & _OTHERS:
            raise ExposedFileError(
                f"{path} can be read by others", fix=f"Run: chmod 600 {path}", path=str(path)
            )
        return file.read()

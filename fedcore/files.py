"""Files that are there completely or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

_READABLE_BY_OWNER_AND_GROUP = 0o644


def write_atomically(path: Path, parts: Iterable[bytes | memoryview]) -> None:
    """Write ``parts`` to ``path`` so that a reader, or a power cut, sees the old or the new file.

    Raises:
        OSError: If it cannot be written; the old file is then untouched.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(_READABLE_BY_OWNER_AND_GROUP)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    flush_directory(path.parent)


def flush_directory(folder: Path) -> None:
    """Make the rename itself durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

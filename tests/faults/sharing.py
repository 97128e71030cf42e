"""What pytest processes have in common that run fault tests beside each other."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Room:
    """Many tests may be in it at a time; one that measures a time is in it alone.

    Whoever wants in waits at the door first, so that nobody enters while a test waits to be alone.
    """

    def __init__(self, folder: Path) -> None:
        self._door, self._room = folder / "door.lock", folder / "room.lock"

    @contextmanager
    def beside_others(self) -> Iterator[None]:
        with self._room.open("a") as room:
            with _locked(self._door):
                fcntl.flock(room, fcntl.LOCK_SH)
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        with self._room.open("a") as room:
            with _locked(self._door):
                fcntl.flock(room, fcntl.LOCK_EX)
            yield


def made_once(file: Path, make: Callable[[], Any]) -> Any:
    """Return, as JSON, what the first process to ask has made."""
    with _locked(file.with_suffix(".lock")):
        if not file.exists():
            file.write_text(json.dumps(make()))
        return json.loads(file.read_text())


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    with file.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield  # closing the file lets go of it

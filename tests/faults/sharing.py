"""What pytest processes have in common that run fault tests beside each other."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from xdist.scheduler import LoadScopeScheduling

INSTALLATIONS = ("embedded", "rabbitmq", "redis")


class ByInstallation(LoadScopeScheduling):
    """Hands the tests of an installation to one process, in their order.

    What ``--dist=loadgroup`` does for ``xdist_group``, save that it has not grouped anything since
    pytest 9.2 (pytest-dev/pytest-xdist, issue 1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def group_of(test: str) -> str:
    """Return what all tests have in common that this one must be with; itself if there are none."""
    file, _, name = test.partition("::")
    if file.endswith("/test_sites.py"):
        return "sites"
    parameter = name.rpartition("[")[2].removesuffix("]")
    return parameter if parameter in INSTALLATIONS else test


class Room:
    """Many tests may be in it at a time; one that measures a time is in it alone.

    Whoever wants in waits at the door first, so that nobody enters while a test waits to be alone.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._door, self._room = folder / "door.lock", folder / "room.lock"

    def claim(self, installation: str) -> None:
        """Say that this process starts an installation, which no other one may do then."""
        claimed_by = made_once(self._folder / f"{installation}.json", os.getpid)
        assert claimed_by == os.getpid(), f"two processes with {installation}: --dist=loadscope"

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

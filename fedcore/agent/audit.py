"""What happened at a site, for the site: lines that are only ever added, each sealing the last.

Every line is JSON and holds the SHA-256 of the line before it, so that a line that is changed or
taken out is noticed by ``check``. Whoever can write the file can write all of it anew; a copy of
the last hash, kept elsewhere, shows that too.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fedcore.agent.private_files import make_private_folder
from fedcore.errors import PermanentError

_START = "0" * 64
_READ_BYTES = 1 << 16

Value = str | int | float | bool | None


class AuditError(PermanentError):
    """The log was changed."""

    code = "audit_log_changed"


@dataclass(frozen=True)
class Entry:
    """One line.

    Attributes:
        time: When, ISO 8601 in UTC.
        event: What, a fixed phrase.
        facts: About whom and what; never rows, parameters or keys.
    """

    time: str
    event: str
    facts: dict[str, Value]


def _now() -> datetime:
    return datetime.now(UTC)


class AuditLog:
    """An append-only file."""

    def __init__(self, path: Path, now: Callable[[], datetime] = _now) -> None:
        self._path = path
        self._now = now

    def record(self, event: str, **facts: Value) -> None:
        """Add a line; it is on the disk when this returns.

        Raises:
            OSError: If it cannot be written; then what was to be recorded must not be done.
        """
        make_private_folder(self._path.parent)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # the agent and a command may both write
            content = {
                "time": self._now().isoformat(timespec="milliseconds"),
                "event": event,
                **facts,
                "previous": _seal(_last_line(file.fileno())),
            }
            os.write(file.fileno(), json.dumps(content, ensure_ascii=False).encode() + b"\n")
            os.fsync(file.fileno())

    def latest(self, count: int) -> list[Entry]:
        """Return the latest lines, the newest first."""
        return [_entry(line) for line in reversed(deque(self._lines(), maxlen=count))]

    def check(self) -> int:
        """Return how many lines there are, if each follows the one before it.

        Raises:
            AuditError: With the number of the first line that does not.
        """
        seal, number = _START, 0
        for number, line in enumerate(self._lines(), start=1):
            if not _follows(line, seal):
                raise AuditError(
                    f"line {number} of {self._path} does not follow line {number - 1}: one of "
                    "them was changed, or lines are missing",
                    fix="Compare it with a copy; the agent never changes a line.",
                    line=number,
                )
            seal = _seal(line)
        return number

    def _lines(self) -> Iterator[bytes]:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            yield from (line.rstrip(b"\n") for line in file)


def _seal(line: bytes | None) -> str:
    return _START if line is None else hashlib.sha256(line).hexdigest()


def _follows(line: bytes, seal: str) -> bool:
    """Return whether a line seals the one before it; one that a power cut has cut off cannot."""
    try:
        content = json.loads(line)
    except ValueError:
        return True
    return isinstance(content, dict) and content.get("previous") == seal


def _entry(line: bytes) -> Entry:
    try:
        content = json.loads(line)
        time, event = content.pop("time"), content.pop("event")
        content.pop("previous")
    except (ValueError, KeyError, AttributeError, TypeError):
        return Entry("", "a line that cannot be read", {})
    return Entry(time, event, content)


def _last_line(descriptor: int) -> bytes | None:
    """Return the last line of an open file without its end, or None if it is empty.

    A line that a power cut has left without its end is ended first.
    """
    size = os.fstat(descriptor).st_size
    if size == 0:
        return None
    if os.pread(descriptor, 1, size - 1) != b"\n":
        os.write(descriptor, b"\n")
        size += 1
    tail = b""
    start = size
    while start > 0 and b"\n" not in tail[:-1]:
        start = max(0, start - _READ_BYTES)
        tail = os.pread(descriptor, size - start, start)
    return tail[:-1].rpartition(b"\n")[2]

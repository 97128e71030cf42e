"""The log of a run: its events as lines of text that can be searched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import QuerySet
from pydantic import BaseModel

from webapp.jobs.models import Run, RunEvent

_CHUNK = 500


class LogLevel(StrEnum):
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


_ORDER = list(LogLevel)


class LogLine(BaseModel):
    """One event in words."""

    seq: int
    at: str
    level: LogLevel
    kind: str
    round_index: int | None
    client_id: int | str | None
    message: str


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which lines are wanted; a part that is None lets everything through."""

    level: LogLevel = LogLevel.INFO
    client: str | None = None
    text: str | None = None

    def lets_through(self, line: LogLine) -> bool:
        if _ORDER.index(line.level) < _ORDER.index(self.level):
            return False
        if self.client is not None and str(line.client_id) != self.client:
            return False
        return self.text is None or self.text.casefold() in line.message.casefold()


def lines_after(run: Run, after: int, wanted: LogFilter, limit: int) -> tuple[list[LogLine], int]:
    """Return the next lines in order, and the last event that was looked at for them."""
    found: list[LogLine] = []
    seen = after
    for row in _rows(run, after).iterator(_CHUNK):
        line = _line(*row)
        seen = line.seq
        if wanted.lets_through(line):
            found.append(line)
            if len(found) == limit:
                break
    return found, seen


def newest_lines(run: Run, wanted: LogFilter, limit: int) -> list[LogLine]:
    """Return the last lines in order."""
    found: list[LogLine] = []
    events = RunEvent.objects.filter(run=run).order_by("-seq")
    for row in events.values_list("seq", "kind", "data", "created_at").iterator(_CHUNK):
        line = _line(*row)
        if wanted.lets_through(line):
            found.append(line)
            if len(found) == limit:
                break
    return found[::-1]


def text_of(run: Run, wanted: LogFilter) -> Iterator[str]:
    """Yield the whole log as text, one line per event, in pieces that each are one query."""
    seen = 0
    while lines := [_line(*row) for row in _rows(run, seen)[:_CHUNK]]:
        seen = lines[-1].seq
        kept = [line for line in lines if wanted.lets_through(line)]
        yield "".join(f"{line.at} {line.level:<7} {line.message}\n" for line in kept)


def _rows(run: Run, after: int) -> QuerySet[RunEvent, tuple[int, str, Any, datetime]]:
    events = RunEvent.objects.filter(run=run, seq__gt=after).order_by("seq")
    return events.values_list("seq", "kind", "data", "created_at")


def _line(seq: int, kind: str, data: dict[str, Any], created_at: Any) -> LogLine:
    level, message = _words(kind, data)
    return LogLine(
        seq=seq,
        at=created_at.isoformat(timespec="milliseconds"),
        level=level,
        kind=kind,
        round_index=data.get("round_index", data.get("round")),
        client_id=data.get("client_id"),
        message=message,
    )


def _words(kind: str, data: dict[str, Any]) -> tuple[LogLevel, str]:
    level = _level(kind, data)
    words = _SENTENCES.get(kind)
    message = words(data) if words else str(data.get("message", kind.replace("_", " ")))
    return level, message


def _level(kind: str, data: dict[str, Any]) -> LogLevel:
    if kind == "state_changed" and data["to"] == "failed":
        return LogLevel.ERROR
    if kind in ("recovered", "client_refused"):
        return LogLevel.WARNING
    if kind == "site_changed" and data["what"] not in ("joined", "returned"):
        return LogLevel.WARNING
    return LogLevel(data.get("level", LogLevel.INFO))


def _moved(data: dict[str, Any]) -> str:
    return f"{data['from'] or 'new'} -> {data['to']}. {data['reason']}".rstrip()


def _finished(data: dict[str, Any]) -> str:
    # Databases keep the keys of JSON in orders of their own.
    numbers = ", ".join(f"{name} {_number(value)}" for name, value in sorted(_metrics(data)))
    return f"Round {data['round']} finished: {numbers}."


def _saved(data: dict[str, Any]) -> str:
    return f"Checkpoint saved: {data['round_index']} rounds, {data['size_bytes']} bytes."


def _recovered(data: dict[str, Any]) -> str:
    return f"Recovered, going on from round {data['from_round']}. {data['reason']}".rstrip()


def _refused(data: dict[str, Any]) -> str:
    where = f"Round {data['round_index']}: update of client {data['client_id']} refused"
    return f"{where}: {data['reason']}"


def _site(data: dict[str, Any]) -> str:
    return f"Round {data['round_index']}: site {data['site']} {data['what']}. {data['reason']}"


def _stored(data: dict[str, Any]) -> str:
    return f"Stored the {data['kind']}, {data['size_bytes']} bytes."


_SENTENCES: dict[str, Callable[[dict[str, Any]], str]] = {
    "state_changed": _moved,
    "round_finished": _finished,
    "checkpoint_saved": _saved,
    "recovered": _recovered,
    "client_refused": _refused,
    "site_changed": _site,
    "artifact_created": _stored,
}


def _metrics(data: dict[str, Any]) -> list[tuple[str, float | None]]:
    return [*data["metrics"].items(), ("seconds", data["seconds"])]


def _number(value: float | None) -> str:
    return "not finite" if value is None else f"{value:.4g}"

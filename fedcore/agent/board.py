"""What an agent is at, for the status page and ``roundhouse site status``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from fedcore.agent.private_files import read_private, write_private
from fedcore.sites.messages import SiteState, TaskProgress

Stage = Literal["waiting", "downloading", "training", "testing", "summing", "uploading"]


class Waiting(BaseModel):
    """A run that waits for a person."""

    run_id: UUID
    name: str
    project: str
    launched_by: str
    summary: str


class Doing(BaseModel):
    """A task that the agent is at."""

    task_id: UUID
    run_id: UUID
    run_name: str
    round_index: int
    kind: str
    stage: Stage
    fraction: float | None = None


class Snapshot(BaseModel):
    """All of it at one moment; a document of this form lies in the state folder."""

    model_config = ConfigDict(extra="ignore")

    site: str
    project: str
    server: str
    fingerprint: str
    pid: int
    started_at: datetime
    updated_at: datetime
    state: SiteState | None = None
    last_contact_at: datetime | None = None
    is_pushed: bool = False
    has_stopped: bool = False
    problems: dict[str, str] = {}
    waiting: list[Waiting] = []
    doing: list[Doing] = []


class Board:
    """The snapshot of a running agent, changed by its threads."""

    def __init__(
        self,
        snapshot: Snapshot,
        file: Path,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._snapshot = snapshot
        self._file = file
        self._now = now
        self._lock = RLock()

    def read(self) -> Snapshot:
        """Return what holds now."""
        with self._lock:
            return self._snapshot.model_copy(deep=True)

    def heard(self, state: SiteState | None = None) -> None:
        """Note that the server has answered, and what it thinks of the site."""
        with self._lock:
            self._snapshot.last_contact_at = self._now()
            self._snapshot.state = state or self._snapshot.state
            self._snapshot.problems.pop("server", None)

    def pushed(self, *, is_pushed: bool) -> None:
        """Note whether the server can tell the site at once that there is work."""
        with self._lock:
            self._snapshot.is_pushed = is_pushed

    def trouble(self, about: str, message: str | None) -> None:
        """Note what is wrong, or with None that it no longer is."""
        with self._lock:
            if message is None:
                self._snapshot.problems.pop(about, None)
            else:
                self._snapshot.problems[about] = message

    def waits(self, waiting: Waiting) -> bool:
        """Note that a run waits for a person; return whether that is new."""
        with self._lock:
            is_new = all(each.run_id != waiting.run_id for each in self._snapshot.waiting)
            if is_new:
                self._snapshot.waiting.append(waiting)
            return is_new

    def waits_no_more(self, run_ids: set[UUID]) -> None:
        """Keep of the runs that wait for a person those of these ids."""
        with self._lock:
            kept = [each for each in self._snapshot.waiting if each.run_id in run_ids]
            self._snapshot.waiting = kept

    def does(self, doing: Doing) -> None:
        """Note what the agent is at."""
        with self._lock:
            others = [each for each in self._snapshot.doing if each.task_id != doing.task_id]
            self._snapshot.doing = [*others, doing]

    def done(self, task_id: UUID) -> None:
        """Note that a task is no longer worked at."""
        with self._lock:
            others = [each for each in self._snapshot.doing if each.task_id != task_id]
            self._snapshot.doing = others

    def stopped(self) -> None:
        """Note that the agent ends."""
        with self._lock:
            self._snapshot.has_stopped = True
            self._snapshot.doing = []

    def progress(self) -> tuple[TaskProgress, ...]:
        """Return what a heartbeat says of tasks."""
        return tuple(
            TaskProgress(task_id=each.task_id, stage=each.stage, fraction=each.fraction)
            for each in self.read().doing
        )

    def write(self) -> None:
        """Write the snapshot for other programs of this account."""
        with self._lock:
            self._snapshot.updated_at = self._now()
            write_private(self._file, self._snapshot.model_dump_json(indent=2).encode())


def find_snapshot(file: Path) -> Snapshot | None:
    """Return the latest snapshot that an agent has written, or None if there is none."""
    content = read_private(file)
    if content is None:
        return None
    try:
        return Snapshot.model_validate_json(content)
    except ValidationError:
        return None

"""What a site has begun and not ended, on its disk, so that a restart goes on with it.

A task that was accepted has a folder with the task; its message lies beside those of other tasks,
named by its hash, as several tasks start from the same bytes. Once the work is done its result is
in the folder too, and only has to be sent. What a site keeps from one round for the next replaces
what it had once the server has taken the result.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError

from fedcore.agent.private_files import make_private_folder, read_private, write_private
from fedcore.engine.site_work import load_kept, save_kept
from fedcore.sites.tasks import RunDescription, Task, TaskResult
from fedcore.state import ClientState

_TASK, _OUTCOME, _PAYLOAD, _KEPT = "task.json", "outcome.json", "payload", "kept.safetensors"
_REPORTING = "reporting"
_RUN, _SUM = "run.json", "sum"

Document = TypeVar("Document", bound=BaseModel)


@dataclass(frozen=True)
class SavedTask:
    """A task that was accepted.

    Attributes:
        task: What was asked for.
        folder: Where what came of it lies.
    """

    task: Task
    folder: Path

    @property
    def payload_file(self) -> Path:
        """Bytes to send up; there are some if the outcome has their hash."""
        return self.folder / _PAYLOAD

    @property
    def outcome(self) -> TaskResult | None:
        """What came of the work, if it is done."""
        return _read(self.folder / _OUTCOME, TaskResult)

    def save_outcome(
        self, outcome: TaskResult, payload: bytes | None = None, kept: ClientState | None = None
    ) -> None:
        """Write what came of the work; the outcome last, as it says that the rest is there.

        Raises:
            OSError, StorageError: If it cannot be written.
        """
        if payload is not None:
            write_private(self.payload_file, payload)
        if kept is not None:
            save_kept(self.folder / _KEPT, kept)
        write_private(self.folder / _OUTCOME, outcome.model_dump_json().encode())

    @property
    def was_reported(self) -> bool:
        """Whether the server may know of the outcome already."""
        return (self.folder / _REPORTING).exists()

    def report_begins(self) -> None:
        """Note that the server is about to be told, as its answer may be lost."""
        write_private(self.folder / _REPORTING, b"")


class Workspace:
    """A folder for unfinished work."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tasks = folder / "tasks"
        self._messages = folder / "messages"
        self._runs = folder / "runs"
        for each in (self._tasks, self._messages, self._runs):
            make_private_folder(each)

    def tasks(self) -> list[SavedTask]:
        """Return what was accepted and not ended, oldest first; a damaged folder is removed."""
        found = []
        for folder in self._tasks.iterdir():
            task = _read(folder / _TASK, Task)
            if task is None:
                shutil.rmtree(folder, ignore_errors=True)
            else:
                found.append(SavedTask(task, folder))
        return sorted(found, key=lambda saved: (saved.task.opened_at, saved.task.task_id))

    def find(self, task_id: UUID) -> SavedTask | None:
        """Return a task that was accepted and not ended."""
        folder = self._tasks / str(task_id)
        task = _read(folder / _TASK, Task)
        return None if task is None else SavedTask(task, folder)

    def begin(self, task: Task) -> SavedTask:
        """Note that a task was accepted."""
        folder = self._tasks / str(task.task_id)
        write_private(folder / _TASK, task.model_dump_json().encode())
        return SavedTask(task, folder)

    def end(self, saved: SavedTask, *, is_used: bool) -> None:
        """Forget a task; if its result is used, what was kept of it is for the next round."""
        kept = saved.folder / _KEPT
        if is_used and kept.exists():
            kept.replace(self._kept_file(saved.task.run_id))
        shutil.rmtree(saved.folder, ignore_errors=True)

    def message_file(self, sha256: str) -> Path:
        """Return where the message of this hash is, or will be."""
        return self._messages / sha256

    def kept(self, run_id: UUID) -> ClientState | None:
        """Return what the site has kept from its last round of a run, None if there is nothing.

        Raises:
            CheckpointError: If the file is damaged.
        """
        return load_kept(self._kept_file(run_id))

    def find_run(self, run_id: UUID) -> RunDescription | None:
        """Return the description of a run, if it was fetched before."""
        return _read(self._runs / str(run_id) / _RUN, RunDescription)

    def save_run(self, described: RunDescription) -> None:
        """Keep the description of a run, which never changes."""
        file = self._runs / str(described.run_id) / _RUN
        write_private(file, described.model_dump_json().encode())

    def tidy(self, messages: Collection[str]) -> None:
        """Remove all messages but those of these hashes, and what there is of them in part."""
        for file in self._messages.iterdir():
            if file.name.partition(".")[0] not in messages:
                file.unlink(missing_ok=True)

    def sum_folder(self, run_id: UUID) -> Path:
        """Return where the site's part in a run's secure sums is kept; it is made when needed."""
        return self._runs / str(run_id) / _SUM

    def sum_folders(self) -> list[Path]:
        """Return the folders of all runs in whose secure sums the site has had a part."""
        return [folder / _SUM for folder in self._runs.iterdir() if (folder / _SUM).is_dir()]

    def _kept_file(self, run_id: UUID) -> Path:
        folder = self._runs / str(run_id)
        make_private_folder(folder)
        return folder / _KEPT


def _read(file: Path, shape: type[Document]) -> Document | None:
    """Return the document in a file, or None if there is none that is whole."""
    content = read_private(file)
    if content is None:
        return None
    try:
        return shape.model_validate_json(content)
    except ValidationError:
        return None

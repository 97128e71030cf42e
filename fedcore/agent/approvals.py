"""Which runs a person at the site has let through, or turned away."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from fedcore.agent.audit import AuditLog
from fedcore.agent.private_files import make_private_folder, read_private, write_private
from fedcore.errors import PermanentError


class Answer(StrEnum):
    """What a person said."""

    APPROVED = "approved"
    DENIED = "denied"


class ApprovalsError(PermanentError):
    """The file of approvals is damaged."""

    code = "approvals_damaged"


class _Answers(BaseModel):
    model_config = ConfigDict(extra="forbid")

    runs: dict[UUID, Answer] = {}


class Approvals:
    """A file that the agent reads and a person writes, by the command line or the status page."""

    def __init__(self, folder: Path, audit: AuditLog) -> None:
        self._file = folder / "approvals.json"
        self._audit = audit

    def of(self, run_id: UUID) -> Answer | None:
        """Return what was said of a run, None before anybody said anything.

        Raises:
            ApprovalsError: If the file is damaged; then nothing is taken for approved.
        """
        return self._read().runs.get(run_id)

    def set(self, run_id: UUID, answer: Answer, by: str) -> None:
        """Write what a person says; it is in the log before it counts.

        Args:
            run_id: Of which run.
            answer: What.
            by: Who, as far as it is known, such as ``command line (root)``.

        Raises:
            ApprovalsError: If the file is damaged.
        """
        with self._alone():
            answers = self._read()
            self._audit.record(f"run {answer.value}", run_id=str(run_id), by=by)
            answers.runs[run_id] = answer
            write_private(self._file, answers.model_dump_json(indent=2).encode())

    def _read(self) -> _Answers:
        content = read_private(self._file)
        if content is None:
            return _Answers()
        try:
            return _Answers.model_validate_json(content)
        except ValidationError as error:
            raise ApprovalsError(
                f"{self._file} is damaged", fix="Restore it, or remove it to approve anew."
            ) from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep two people from overwriting each other's answer."""
        make_private_folder(self._file.parent)
        lock = self._file.with_suffix(".lock")
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

"""All that a site's tasks are done with, in one place."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from fedcore.agent.approvals import Approvals
from fedcore.agent.audit import AuditLog
from fedcore.agent.backoff import SHORTEST_S, Backoff
from fedcore.agent.board import Board
from fedcore.agent.config import Site
from fedcore.agent.connection import Connection
from fedcore.agent.identity import Identity
from fedcore.agent.judging import Judge
from fedcore.agent.shelf import Shelf
from fedcore.agent.work import Worker
from fedcore.agent.workspace import Workspace
from fedcore.sites import routes
from fedcore.sites.base import shortened
from fedcore.sites.decisions import Decision
from fedcore.sites.tasks import RunDescription, Task


def _nobody() -> None:
    """Wake nobody: no agent runs yet."""


@dataclass
class Office:
    """What the agent's threads share.

    Attributes:
        site: Configuration and policy.
        identity: Who the site is.
        connection: To the server.
        tls: How the server is recognised; None for one on this machine without encryption.
        workspace: Unfinished work.
        shelf: Data sets.
        worker: Trains and tests.
        approvals: What people have said.
        audit: The site's log.
        board: What the agent is at.
        wake: Makes the agent ask for tasks now.
        shortest_wait_s: After the first request that was not answered.
        ended: Tasks that are over for this site, even if the server should offer them again.
        waiting: Tasks that wait for a person, and the run of each.
    """

    site: Site
    identity: Identity
    connection: Connection
    tls: ssl.SSLContext | None
    workspace: Workspace
    shelf: Shelf
    worker: Worker
    approvals: Approvals
    audit: AuditLog
    board: Board
    wake: Callable[[], None] = _nobody
    shortest_wait_s: float = SHORTEST_S
    ended: set[UUID] = field(default_factory=set)
    waiting: dict[UUID, UUID] = field(default_factory=dict)

    def backoff(self) -> Backoff:
        """Return how long to wait between requests that are not answered."""
        return Backoff(self.shortest_wait_s)

    def problems(self) -> tuple[str, ...]:
        """Return what is wrong at the site, as far as the server may know."""
        found = self.board.read().problems
        return tuple(shortened(f"{what}: {why}") for what, why in found.items() if what != "server")

    def keep_only(self, task_ids: Collection[UUID]) -> None:
        """Drop what the server no longer wants."""
        for saved in self.workspace.tasks():
            if saved.task.task_id not in task_ids:
                self.audit.record("task dropped", why="no longer wanted", **about(saved.task))
                self.workspace.end(saved, is_used=saved.was_reported)
        self.waiting = {task: run for task, run in self.waiting.items() if task in task_ids}
        self.board.waits_no_more(set(self.waiting.values()))
        self.ended &= set(task_ids)

    def describe(self, run_id: UUID) -> RunDescription:
        """Return the description of a run.

        Raises:
            UnreachableError: If the server does not answer.
            RejectedError: If it refuses.
        """
        known = self.workspace.find_run(run_id)
        if known is None:
            known = self.connection.get(routes.run(run_id), RunDescription)
            self.workspace.save_run(known)
        return known

    def judge(
        self, task: Task, described: RunDescription, model_parameters: int | None = None
    ) -> Decision:
        """Return whether the site does a task.

        Raises:
            DatasetError: If its examples cannot be counted.
        """
        judge = Judge(self.site, self.identity, self.shelf.count, self.approvals.of)
        return judge.decide(task, described, model_parameters)


def about(task: Task, run_name: str = "") -> dict[str, Any]:
    """Return what the log says of a task."""
    return {
        "run_name": run_name,
        "run_id": str(task.run_id),
        "task_id": str(task.task_id),
        "round_index": task.round_index,
        "kind": task.kind.value,
    }

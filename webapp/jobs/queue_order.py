"""In which order waiting runs get a worker: projects in turn, within each by priority and age."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Q

from webapp.jobs.models import Run
from webapp.jobs.operation_models import ProjectShare
from webapp.jobs.states import RunState

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A run that waits."""

    run_id: UUID
    project_id: UUID
    priority: int
    queued_at: datetime


@dataclass(frozen=True, slots=True)
class Share:
    """What a project has at the moment, and when it last got a worker."""

    running: int = 0
    limit: int | None = None
    last_taken_at: datetime = _NEVER


@dataclass(frozen=True, slots=True)
class Place:
    """A run and whether its project may have one more worker before it."""

    run_id: UUID
    is_blocked: bool


def in_order(waiting: Iterable[Waiting], shares: Mapping[UUID, Share]) -> list[Place]:
    """Return the runs in the order in which free workers take them.

    The project with the fewest runs under way is next, among equals the one that has waited
    longest; each run that is placed counts as under way for those after it. A project at its limit
    comes after all others, for it has to wait for its own runs.
    """
    by_project: dict[UUID, list[Waiting]] = {}
    for run in sorted(waiting, key=lambda run: (-run.priority, run.queued_at, run.run_id)):
        by_project.setdefault(run.project_id, []).append(run)
    placed = []
    for project_id, runs in by_project.items():
        share = shares.get(project_id, Share())
        for number, run in enumerate(runs, start=share.running):
            is_blocked = share.limit is not None and number >= share.limit
            key = (is_blocked, number, share.last_taken_at, run.queued_at, run.run_id)
            placed.append((key, Place(run.run_id, is_blocked)))
    return [place for _, place in sorted(placed, key=lambda pair: pair[0])]


def waiting_in(queues: Iterable[str]) -> dict[str, list[Waiting]]:
    """Return what waits in each queue, in one query."""
    found: dict[str, list[Waiting]] = {queue: [] for queue in queues}
    rows = Run.objects.waiting().filter(queue__in=found)
    columns = ("queue", "pk", "project_id", "priority", "queued_at")
    for queue, *row in rows.values_list(*columns):
        found[queue].append(Waiting(*row))
    return found


def shares_of(project_ids: Iterable[UUID]) -> dict[UUID, Share]:
    """Return the shares of some projects, in two queries."""
    wanted = set(project_ids)
    at_work = Q(lease_token__isnull=False) | Q(parts_out=True, state=RunState.RUNNING)
    held = Run.objects.filter(at_work, project_id__in=wanted)
    running = dict(held.values_list("project_id").annotate(number=Count("pk")))
    rows = {row.project_id: row for row in ProjectShare.objects.filter(project_id__in=wanted)}
    shares = {}
    for project_id in wanted:
        row = rows.get(project_id)
        own = row.max_running if row else None
        shares[project_id] = Share(
            running=running.get(project_id, 0),
            limit=settings.MAX_RUNNING if own is None else own,
            last_taken_at=(row and row.last_taken_at) or _NEVER,
        )
    return shares

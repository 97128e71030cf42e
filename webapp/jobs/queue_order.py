"""In which order waiting runs get a worker: projects in turn, within each by priority and age.

The project with the fewest runs under way is next, among equals the one that has waited longest;
each run that is placed counts as under way for those after it. A project at its limit comes after
all others, for it has to wait for its own runs.

The database finds the order: it is asked for with every list of runs, and only the places of the
runs that somebody looks at leave it, however many wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Case, Count, F, Q, QuerySet, Value, When
from django.db.models.expressions import RawSQL

from webapp.jobs.models import Run
from webapp.jobs.operation_models import ProjectShare
from webapp.jobs.states import RunState

_AT_WORK = Q(lease_token__isnull=False) | Q(parts_out=True, state=RunState.RUNNING)

# Django makes the two queries in it; {share} is a table, and what is in %s comes from settings.
# A run's number says how many of its project would be under way before it.
_ORDER = """
WITH waiting (id, queue, project_id, priority, since) AS ({waiting}),
at_work (project_id, runs) AS ({at_work}),
numbered AS (
    SELECT waiting.id, queue, waiting.project_id, since, share.last_taken_at,
        COALESCE(share.max_running, %s) AS max_running,
        COALESCE(at_work.runs, 0) - 1 + ROW_NUMBER() OVER (
            PARTITION BY queue, waiting.project_id ORDER BY priority DESC, since, waiting.id
        ) AS number
    FROM waiting
    LEFT JOIN at_work ON at_work.project_id = waiting.project_id
    LEFT JOIN {share} share ON share.project_id = waiting.project_id
),
marked AS (SELECT *, COALESCE(number >= max_running, %s) AS is_blocked FROM numbered),
placed AS (
    SELECT *, ROW_NUMBER() OVER (
        PARTITION BY queue ORDER BY is_blocked, number, last_taken_at NULLS FIRST, since, id
    ) AS position
    FROM marked
)
SELECT id, project_id, position, is_blocked, max_running FROM placed
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a waiting run stands in its queue, and whether its project's limit is before it."""

    run_id: UUID
    project_id: UUID
    #: Counted from 1.
    position: int
    is_blocked: bool
    #: Runs that the project may have under way at the same time; None without a limit.
    limit: int | None


def places_of(runs: Iterable[Run]) -> dict[UUID, Place]:
    """Return the places of those of the runs that wait, in one query."""
    queues: dict[UUID, str] = {run.pk: run.queue for run in runs}
    if not queues:
        return {}
    waiting = Run.objects.waiting().filter(queue__in=set(queues.values()))
    key = Run._meta.get_field("id")  # noqa: SLF001  Django's own API
    ids = [key.get_db_prep_value(run_id, connection) for run_id in queues]
    # Not as a query: the database would look up every run that waits.
    wanted = f"WHERE id IN ({', '.join(['%s'] * len(ids))})"
    places = _places(_columns(waiting, F("queued_at")), _at_work(), wanted, ids)
    return {place.run_id: place for place in places}


def next_in(queue: str, most: int) -> list[Place]:
    """Return the first places of a queue whose runs may be taken, in order."""
    waiting = _columns(Run.objects.waiting().filter(queue=queue), F("queued_at"))
    first = "WHERE NOT is_blocked ORDER BY position LIMIT %s"
    return _places(waiting, _at_work(), first, (most,))


def is_still_first(run: Run, now: datetime) -> bool:
    """Return whether a run that is at work would be taken next if its worker let go of it."""
    waiting = Run.objects.waiting().filter(queue=run.queue) | Run.objects.filter(pk=run.pk)
    since = Case(When(pk=run.pk, then=Value(now)), default=F("queued_at"))
    first = "ORDER BY position LIMIT %s"
    (place,) = _places(_columns(waiting, since), _at_work().exclude(pk=run.pk), first, (1,))
    return place.run_id == run.pk or place.is_blocked


def has_room(share: ProjectShare) -> bool:
    """Return whether a project may have one more run under way."""
    limit = settings.MAX_RUNNING if share.max_running is None else share.max_running
    return limit is None or _at_work().filter(project_id=share.project_id).count() < limit


def _at_work() -> QuerySet[Run]:
    return Run.objects.filter(_AT_WORK)


def _columns(waiting: QuerySet[Run], since: Any) -> QuerySet[Run, Any]:
    chosen = waiting.annotate(since=since)
    return chosen.values_list("pk", "queue", "project_id", "priority", "since")


def _places(
    waiting: QuerySet[Run, Any], at_work: QuerySet[Run], wanted: str, params: Sequence[Any]
) -> list[Place]:
    # Of those projects alone: SQLite would look at every run that there is.
    of_these = at_work.filter(project_id__in=RawSQL("SELECT project_id FROM waiting", ()))
    by_project = of_these.order_by().values_list("project_id").annotate(runs=Count("pk"))
    waiting_sql, waiting_params = waiting.query.sql_with_params()
    at_work_sql, at_work_params = by_project.query.sql_with_params()
    share = ProjectShare._meta.db_table  # noqa: SLF001  Django's own API
    order = _ORDER.format(waiting=waiting_sql, at_work=at_work_sql, share=share)
    installation = (settings.MAX_RUNNING, False)
    with connection.cursor() as cursor:
        cursor.execute(order + wanted, (*waiting_params, *at_work_params, *installation, *params))
        return [_place(*row) for row in cursor.fetchall()]


def _place(
    run_id: Any, project_id: Any, position: int, is_blocked: Any, limit: int | None
) -> Place:
    return Place(_uuid(run_id), _uuid(project_id), position, bool(is_blocked), limit)


def _uuid(value: UUID | str) -> UUID:
    """Return an id of a row; SQLite has them as text."""
    return value if isinstance(value, UUID) else UUID(value)

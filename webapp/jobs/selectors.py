"""Questions that need the user's permissions, or that workers ask."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, F, OuterRef, Prefetch

from webapp.accounts.models import Project, User
from webapp.errors import ForbiddenError, NotFoundError
from webapp.jobs.clock import database_now
from webapp.jobs.models import Favourite, Job, Run, RunQuerySet
from webapp.jobs.operation_models import Worker
from webapp.jobs.queue_order import Place, is_still_first, places_of
from webapp.jobs.services.leases import Checkpoint, latest_checkpoint
from webapp.jobs.sweep_models import Sweep, SweepQuerySet

_TAG_ROWS: str = "tag_rows"
#: Workers that have just been started are not known at once.
_PATIENCE = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class RunForWorker:
    """What a worker needs to begin or go on with a run."""

    spec: dict[str, Any]
    digest: str
    rounds_done: int
    checkpoint: Checkpoint | None


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """Where a waiting run stands in its queue, counted from 1, and why it waits.

    ``starts_in_s`` is about how long until a worker takes it, in seconds, if those at work go on
    with others at the end of each turn; None where nobody can say.
    """

    position: int
    reason: str
    starts_in_s: float | None


def run_for_worker(run_id: UUID) -> RunForWorker:
    run = Run.objects.filter(pk=run_id).first()
    if run is None:
        raise NotFoundError("There is no such run.")
    return RunForWorker(run.spec, run.digest, run.rounds_done, latest_checkpoint(run_id))


def another_is_next(run_id: UUID) -> bool:
    """Return whether a worker that let go of this run now would take another one."""
    run = Run.objects.only("queue").get(pk=run_id)
    return not is_still_first(run, database_now())


def visible_runs(user: AbstractBaseUser | AnonymousUser) -> RunQuerySet:
    """Return the user's runs, with what their JSON form needs of other rows and no more."""
    starred = Favourite.objects.filter(run=OuterRef("pk"), user=user.pk)
    return _described(Run.objects.visible_to(user)).annotate(is_favourite=Exists(starred))


def _described(runs: RunQuerySet) -> RunQuerySet:
    return runs.annotate(
        job_name=F("job__name"), creator=F("created_by__username")
    ).prefetch_related(Prefetch("tags", to_attr=_TAG_ROWS))


def find_run_for_all(run_id: UUID) -> Run | None:
    """Return a run for whoever may see it, which the caller finds out.

    What depends on who asks is not in it: ``serializers.present_run_to`` adds that.
    """
    return _described(Run.objects.filter(pk=run_id)).first()


def find_run(user: AbstractBaseUser | AnonymousUser, run_id: UUID) -> Run | None:
    try:
        return visible_runs(user).get(pk=run_id)
    except Run.DoesNotExist:
        return None


def get_run(user: AbstractBaseUser | AnonymousUser, run_id: UUID) -> Run:
    run = find_run(user, run_id)
    if run is None:
        raise NotFoundError("There is no such run.")
    return run


def get_job(user: AbstractBaseUser | AnonymousUser, job_id: UUID) -> Job:
    visible = Job.objects.visible_to(user).select_related("created_by", "sweep")
    job = visible.filter(pk=job_id).first()
    if job is None:
        raise NotFoundError("There is no such job.")
    return job


def visible_sweeps(user: AbstractBaseUser | AnonymousUser) -> SweepQuerySet:
    return Sweep.objects.visible_to(user).select_related("job__created_by").defer("job__spec")


def get_sweep(user: AbstractBaseUser | AnonymousUser, job_id: UUID) -> Sweep:
    sweep = visible_sweeps(user).filter(pk=job_id).first()
    if sweep is None:
        raise NotFoundError("There is no such sweep.")
    return sweep


def default_project(user: User) -> Project:
    """Return the oldest project in which the user may launch runs."""
    project = Project.objects.writable_by(user).first()
    if project is None:
        raise ForbiddenError("You have no project in which you may launch runs.")
    return project


def queue_places(runs: Iterable[Run], now: datetime) -> dict[UUID, QueuePlace]:
    """Return the places of those runs that wait, in two queries however many they are."""
    asked = {run.pk: run for run in runs if run.is_waiting}
    places = places_of(asked.values())
    if not places:
        return {}
    workers = list(Worker.objects.alive(now).values_list("queues", "run_id"))
    found = {}
    for run_id, place in places.items():
        run = asked[run_id]
        serving = [busy_with for queues, busy_with in workers if run.queue in queues]
        found[run_id] = _queue_place(place, run, serving, now)
    return found


def _queue_place(
    place: Place, run: Run, serving: Sequence[UUID | None], now: datetime
) -> QueuePlace:
    if place.is_blocked:
        return QueuePlace(place.position, _at_limit(place.limit), None)
    if not serving and now - run.queued_at > _PATIENCE:
        reason = _NOT_SERVED.format(queue=run.queue)
    else:
        reason = _behind(place.position - 1)
    return QueuePlace(place.position, reason, _starts_in(place.position, serving))


def _starts_in(position: int, serving: Sequence[UUID | None]) -> float | None:
    """Return when the run at a position gets its turn, from the run that each worker is busy with.

    A worker changes to the next run after a turn, as long as one waits.
    """
    if not serving:
        return None
    behind_idle = max(0, position - sum(run_id is None for run_id in serving))
    return ceil(behind_idle / len(serving)) * settings.SLICE_S


_NOT_SERVED = (
    "No worker serves the {queue} queue at the moment."
    " Start one on a machine that has what it needs: roundhouse worker --queue {queue}."
)


def _at_limit(most: int | None) -> str:
    limit = "1 run" if most == 1 else f"{most} runs"
    return f"Its project trains at most {limit} at a time, and as many are ahead of it."


def _behind(ahead: int) -> str:
    if ahead == 0:
        return "Next in line, waiting for a free worker."
    others = "1 other run is" if ahead == 1 else f"{ahead} other runs are"
    return f"Waiting for a free worker; {others} ahead."

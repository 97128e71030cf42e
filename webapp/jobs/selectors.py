"""Questions that need the user's permissions, or that workers ask."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Exists, F, OuterRef, Subquery
from django.db.models.functions import Coalesce

from webapp.accounts.models import Project, User
from webapp.errors import ForbiddenError, NotFoundError
from webapp.jobs.models import Favourite, Job, Run, RunQuerySet
from webapp.jobs.services.leases import Checkpoint, latest_checkpoint
from webapp.jobs.sweep_models import Sweep

#: After so long at the head of the queue, the likely reason is that there is no worker at all.
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
    """Where a waiting run stands in its queue, counted from 1, and why it waits."""

    position: int
    reason: str


def run_for_worker(run_id: UUID) -> RunForWorker:
    run = Run.objects.filter(pk=run_id).first()
    if run is None:
        raise NotFoundError("There is no such run.")
    return RunForWorker(run.spec, run.digest, run.rounds_done, latest_checkpoint(run_id))


def others_waiting(queue: str) -> bool:
    """Return whether any run waits in this queue that no worker holds."""
    return Run.objects.waiting().filter(queue=queue).exists()


def visible_runs(user: AbstractBaseUser | AnonymousUser) -> RunQuerySet:
    """Return the user's runs, with what their JSON form needs of other rows and no more."""
    starred = Favourite.objects.filter(run=OuterRef("pk"), user=user.pk)
    return (
        Run.objects.visible_to(user)
        .annotate(
            job_name=F("job__name"),
            creator=F("created_by__username"),
            is_favourite=Exists(starred),
        )
        .prefetch_related("tags")
    )


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


def get_sweep(user: AbstractBaseUser | AnonymousUser, job_id: UUID) -> Sweep:
    sweep = Sweep.objects.visible_to(user).filter(pk=job_id).first()
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
    waiting = [run.pk for run in runs if run.is_waiting]
    if not waiting:
        return {}
    ahead = (
        Run.objects.waiting()
        .filter(queue=OuterRef("queue"), queued_at__lt=OuterRef("queued_at"))
        .values("queue")
        .annotate(number=Count("pk"))
        .values("number")
    )
    counted = Run.objects.filter(pk__in=waiting).annotate(ahead=Coalesce(Subquery(ahead), 0))
    any_worker = Run.objects.filter(lease_expires_at__gt=now).exists()
    return {
        pk: QueuePlace(ahead + 1, _reason(ahead, now - queued_at, any_worker=any_worker))
        for pk, queued_at, ahead in counted.values_list("pk", "queued_at", "ahead")
    }


def _reason(ahead: int, waited: timedelta, *, any_worker: bool) -> str:
    if not any_worker and waited > _PATIENCE:
        return "No worker has taken a run for a while. Is one running?"
    if ahead == 0:
        return "Next in line, waiting for a free worker."
    others = "1 other run is" if ahead == 1 else f"{ahead} other runs are"
    return f"Waiting for a free worker; {others} ahead."

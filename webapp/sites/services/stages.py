"""When the stage of a round is over, so that a worker has to go on with the run."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from fedcore.sites.tasks import TaskKind
from webapp.jobs.models import Run, RunEvent
from webapp.jobs.queue import send_advance_on_commit
from webapp.jobs.services.record_part import take_on
from webapp.jobs.states import RunState
from webapp.sites.models import Site, SiteRound, SiteTask
from webapp.sites.services.flights import flights_of, in_flight, vacant_places
from webapp.sites.work_models import TaskState

if TYPE_CHECKING:
    from webapp.sites.work_models import SiteTaskQuerySet


def of_stage(opened: SiteRound) -> SiteTaskQuerySet:
    """Return what the sites are asked in the stage of a round, or were asked before and are at."""
    flights = flights_of(opened)
    if flights is not None and opened.stage == TaskKind.TRAIN:
        return in_flight(opened.run_id, flights)
    return SiteTask.objects.filter(
        run_id=opened.run_id,
        round_index=opened.round_index,
        kind=opened.stage,
        opened_at__gte=opened.opened_at,
    )


def deadline_of(opened: SiteRound) -> datetime:
    """Return when somebody has to go on with a stage, whoever is missing; pauses do not count.

    Where updates end the stage, that is when the first site at work has had its time.
    """
    resumed_at = _resumed_at(opened.run_id)
    if opened.stage == TaskKind.TRAIN and opened.due is not None:
        limits = [_limit(t.opened_at, t.deadline_at, resumed_at) for t in of_stage(opened).open()]
        if limits:
            return min(limits)
    return _limit(opened.stage_opened_at, opened.deadline_at, resumed_at)


def overdue(opened: SiteRound, now: datetime) -> list[SiteTask]:
    """Return the tasks that a stage that is over goes on without."""
    left = list(of_stage(opened).open())
    if opened.flights is None or opened.stage != TaskKind.TRAIN:
        return left
    resumed_at = _resumed_at(opened.run_id)
    return [t for t in left if _limit(t.opened_at, t.deadline_at, resumed_at) <= now]


def is_answered(opened: SiteRound, waiting: SiteTaskQuerySet) -> bool:
    """Return whether a stage needs no more answers.

    Args:
        opened: The round.
        waiting: Tasks that may still be answered.
    """
    if opened.flights is None or opened.stage != TaskKind.TRAIN:
        return not waiting.exists()
    if opened.due is None:  # the time ends it
        return False
    there = of_stage(opened).filter(state=TaskState.DONE).exclude(key="")
    return there.count() >= opened.due or not waiting.exists()


def has_enough(opened: SiteRound, now: datetime) -> bool:
    """Return whether a stage is over though sites are missing: those are offline, and few.

    It matters where a round has many stages, of which a lost site would hold up each.
    """
    if opened.enough is None:
        return False
    asked = of_stage(opened)
    online = Site.objects.online(now).values("pk")
    return (
        asked.filter(state=TaskState.DONE).count() >= opened.enough
        and not asked.open().filter(site__in=online).exists()
    )


def go_on_if_answered(run: Run, now: datetime) -> bool:
    """Let a worker take a locked run whose sites leave it something to do; say whether they do."""
    if not run.parts_out:
        return False
    opened = SiteRound.objects.filter(run=run, round_index=run.rounds_done).first()
    if opened is not None and not (
        is_answered(opened, of_stage(opened).wanted()) or vacant_places(opened)
    ):
        return False
    go_on(run, now)
    return True


def go_on(run: Run, now: datetime) -> None:
    """Let a worker take a locked run, whatever is missing, and tell the workers."""
    take_on(run, now)
    send_advance_on_commit(run.pk, run.queue)


def _resumed_at(run_id: UUID) -> datetime | None:
    resumed = RunEvent.objects.filter(
        run_id=run_id, kind="state_changed", data__to=RunState.RUNNING
    )
    return resumed.order_by("-seq").values_list("created_at", flat=True).first()


def _limit(since: datetime, until: datetime, resumed_at: datetime | None) -> datetime:
    if resumed_at is None or resumed_at < since:
        return until
    return resumed_at + (until - since)

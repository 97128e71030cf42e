"""When the stage of a round is over, so that a worker has to go on with the run."""

from __future__ import annotations

from datetime import datetime

from webapp.jobs.models import Run, RunEvent
from webapp.jobs.queue import send_advance_on_commit
from webapp.jobs.services.record_part import take_on
from webapp.jobs.states import RunState
from webapp.sites.models import Site, SiteRound, SiteTask
from webapp.sites.work_models import TaskState


def deadline_of(opened: SiteRound) -> datetime:
    """Return when the stage of a round is closed; a pause of the run does not count."""
    resumed = RunEvent.objects.filter(
        run_id=opened.run_id, kind="state_changed", data__to=RunState.RUNNING
    )
    resumed_at = resumed.order_by("-seq").values_list("created_at", flat=True).first()
    if resumed_at is None or resumed_at < opened.stage_opened_at:
        return opened.deadline_at
    return resumed_at + (opened.deadline_at - opened.stage_opened_at)


def has_enough(opened: SiteRound, now: datetime) -> bool:
    """Return whether a stage is over though sites are missing: those are offline, and few.

    It matters where a round has many stages, of which a lost site would hold up each.
    """
    if opened.enough is None:
        return False
    of_stage = SiteTask.objects.filter(
        run_id=opened.run_id,
        round_index=opened.round_index,
        kind=opened.stage,
        opened_at__gte=opened.opened_at,
    )
    online = Site.objects.online(now).values("pk")
    return (
        of_stage.filter(state=TaskState.DONE).count() >= opened.enough
        and not of_stage.open().filter(site__in=online).exists()
    )


def go_on_if_answered(run: Run, now: datetime) -> bool:
    """Let a worker take a locked run whose sites have all answered; return whether that is so."""
    if not run.parts_out or SiteTask.objects.wanted().filter(run=run).exists():
        return False
    go_on(run, now)
    return True


def go_on(run: Run, now: datetime) -> None:
    """Let a worker take a locked run, whatever is missing, and tell the workers."""
    take_on(run, now)
    send_advance_on_commit(run.pk, run.queue)

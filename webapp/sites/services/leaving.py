"""A site that takes no part in a run any more: it refused, or was revoked."""

from __future__ import annotations

from datetime import datetime

from webapp.jobs.events import SiteChangedData
from webapp.jobs.models import Run
from webapp.jobs.services.run_changes import change, lock_run
from webapp.jobs.states import FINAL_STATES
from webapp.sites.models import RunSite, Site, SiteTask
from webapp.sites.services.stages import go_on_if_answered
from webapp.sites.work_models import TaskState

_REVOKED = "revoked"


def leave_runs(site: Site, *, reason: str, now: datetime) -> None:
    """Take a revoked site out of the runs that are not over; what it is at is not waited for."""
    members = RunSite.objects.filter(site=site).exclude(run__state__in=FINAL_STATES)
    why = f"It was revoked: {reason}" if reason else "It was revoked."
    for member in list(members):
        run = lock_run(member.run_id)
        if run.is_final:
            continue
        mine = SiteTask.objects.filter(run=run, site=site).open()
        mine.update(state=TaskState.DROPPED, rule=_REVOKED, reason=why, answered_at=now)
        leave_run(run, member, rule=_REVOKED, reason=why)
        event = SiteChangedData(
            round_index=run.rounds_done,
            site=member.name,
            client_id=member.client_id,
            what="revoked",
            reason=why,
        )
        change(run, event, now=now)
        go_on_if_answered(run, now)


def leave_run(run: Run, member: RunSite, *, rule: str, reason: str) -> None:
    """Ask a site for nothing more in a run."""
    RunSite.objects.filter(pk=member.pk, run=run).update(out_rule=rule, out_reason=reason[:1000])

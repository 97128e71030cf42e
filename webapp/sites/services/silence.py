"""Sites that go silent with work in hand, and come back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from webapp.jobs.events import SiteChangedData
from webapp.jobs.services.run_changes import change, lock_run
from webapp.sites.models import RunSite, Site, SiteTask


def note_silence(now: datetime) -> int:
    """Say on the pages of runs which sites went silent with a task in hand; return how many."""
    silent = (
        SiteTask.objects.wanted()
        .exclude(site__in=Site.objects.online(now))
        .values_list("run_id", "site_id")
        .distinct()
    )
    return sum(_note(run_id, site_id, now, is_silent=True) for run_id, site_id in list(silent))


def note_return(site: Site, now: datetime) -> None:
    """Say on the pages of its runs that a site is back."""
    gone = RunSite.objects.filter(site=site, is_silent=True).values_list("run_id", flat=True)
    for run_id in list(gone):
        _note(run_id, site.pk, now, is_silent=False)


@transaction.atomic
def _note(run_id: UUID, site_id: UUID, now: datetime, *, is_silent: bool) -> bool:
    run = lock_run(run_id)
    members = RunSite.objects.filter(run=run, site_id=site_id, is_silent=not is_silent)
    member = members.select_related("site").first()
    if member is None:
        return False
    members.update(is_silent=is_silent)
    if run.is_final:
        return False
    reason = _last_heard(member.site) if is_silent else "It answers again."
    event = SiteChangedData(
        round_index=run.rounds_done,
        site=member.name,
        client_id=member.client_id,
        what="lost" if is_silent else "returned",
        reason=reason,
    )
    change(run, event, now=now)
    return True


def _last_heard(site: Site) -> str:
    seen = site.last_seen_at
    if seen is None:
        return "It has never been heard of."
    return f"Nothing was heard of it since {seen:%Y-%m-%d %H:%M:%S} UTC."

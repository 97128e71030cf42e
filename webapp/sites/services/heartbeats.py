"""Signs of life: what a site says of itself, kept as its newest word."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from fedcore.sites.messages import DatasetDeclaration, Heartbeat
from webapp.jobs.clock import database_now
from webapp.sites.models import Site, SiteDataset, SiteTask
from webapp.sites.services.history import record_by_site
from webapp.sites.services.silence import note_return


@transaction.atomic
def record_heartbeat(
    *, site: Site, beat: Heartbeat, address: str | None, now: datetime | None = None
) -> tuple[UUID, ...]:
    """Keep what a site says of itself; return the tasks it names that nobody wants any more."""
    now = now or database_now()
    policy = None if beat.policy is None else beat.policy.model_dump(mode="json")
    if policy != site.policy:
        record_by_site(site, action="site.declare_policy", after={"policy": policy})
    Site.objects.filter(pk=site.pk).update(
        last_seen_at=now,
        last_address=address,
        activity=beat.state,
        agent=beat.agent.model_dump(mode="json"),
        hardware=beat.hardware.model_dump(mode="json"),
        policy=policy,
        problems=list(beat.problems),
        waiting_tasks=[str(task_id) for task_id in beat.waiting_for_approval],
    )
    _declare(site, beat.datasets, now)
    note_return(site, now)
    return _follow_tasks(site, beat)


def _declare(site: Site, declared: tuple[DatasetDeclaration, ...], now: datetime) -> None:
    """Make the site's data sets those that it has declared; what changes is in the audit log."""
    known = {row.name: row for row in SiteDataset.objects.filter(site=site)}
    for one in declared:
        content = one.model_dump(mode="json")
        row = known.pop(one.name, None)
        if row is not None and row.declaration == content:
            continue
        SiteDataset.objects.update_or_create(
            site=site, name=one.name, defaults={"declaration": content, "declared_at": now}
        )
        before = None if row is None else {one.name: row.declaration}
        after = {one.name: content}
        record_by_site(site, action="site.declare_dataset", before=before, after=after)
    for name, row in known.items():
        before = {name: row.declaration}
        record_by_site(site, action="site.withdraw_dataset", before=before)
        row.delete()


def _follow_tasks(site: Site, beat: Heartbeat) -> tuple[UUID, ...]:
    mine = SiteTask.objects.filter(site=site)
    named = [progress.task_id for progress in beat.tasks]
    wanted = set(mine.wanted().filter(pk__in=named).values_list("pk", flat=True))
    for progress in beat.tasks:
        if progress.task_id in wanted:
            mine.filter(pk=progress.task_id).update(
                stage=progress.stage, fraction=progress.fraction
            )
    return tuple(task_id for task_id in named if task_id not in wanted)

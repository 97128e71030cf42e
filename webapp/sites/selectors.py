"""Questions about sites that depend on who asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Q

from fedcore.sites.messages import SiteState
from webapp.accounts.models import AuditEntry, Project, User
from webapp.errors import NotFoundError
from webapp.jobs.models import Run
from webapp.sites.models import RunSite, Site, SiteRound, SiteTask
from webapp.sites.services.flights import oldest_of

if TYPE_CHECKING:
    from django.db.models import QuerySet


def visible_sites(user: User) -> QuerySet[Site]:
    """Return the sites of the user's projects, with all that a page shows of them."""
    rows = Site.objects.visible_to(user).select_related("project", "created_by")
    return rows.prefetch_related("datasets")


def get_site(user: User, site_id: UUID) -> Site:
    """Return a site of one of the user's projects.

    Raises:
        NotFoundError: If there is none.
    """
    site = visible_sites(user).filter(pk=site_id).first()
    if site is None:
        raise NotFoundError("There is no such site.")
    return site


def candidates_for(user: User, project: Project, named: Sequence[str]) -> QuerySet[Site]:
    """Return the sites that a run of a project could name, and those that a draft of it does."""
    is_there = ~Q(state=SiteState.REVOKED) | Q(name__in=named)
    return visible_sites(user).filter(is_there, project=project)


def history_of(site: Site) -> QuerySet[AuditEntry]:
    """Return all that was done to a site, and by it."""
    return AuditEntry.objects.filter(object_type="site", object_id=str(site.pk))


def members_of(run: Run) -> Sequence[RunSite]:
    """Return the sites of a run, in the order of their numbers."""
    return list(RunSite.objects.filter(run=run).select_related("site").order_by("client_id"))


def newest_tasks(run: Run) -> dict[int, SiteTask]:
    """Return what each site of a run was asked last, by client."""
    opened = SiteRound.objects.filter(run=run, round_index=run.rounds_done).first()
    since = run.rounds_done if opened is None else oldest_of(opened)
    rows = SiteTask.objects.filter(
        run=run, round_index__gte=max(0, min(since, run.rounds_done - 1))
    )
    ordered = rows.select_related("run").order_by("round_index", "opened_at", "attempt")
    return {task.client_id: task for task in ordered}

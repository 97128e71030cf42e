"""Questions over jobs and runs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Self

from django.db.models import Q

from webapp.accounts.scoping import ProjectScopedQuerySet
from webapp.jobs.states import FINAL_STATES, WORKABLE_STATES

if TYPE_CHECKING:
    pass


class JobQuerySet(ProjectScopedQuerySet["Job"]):
    pass


class RunQuerySet(ProjectScopedQuerySet["Run"]):
    def final(self) -> Self:
        return self.filter(state__in=FINAL_STATES)

    def free(self, now: datetime) -> Self:
        """Keep the runs that no worker holds."""
        return self.filter(Q(lease_token=None) | Q(lease_expires_at__lte=now))

    def waiting(self) -> Self:
        """Keep the runs that could be worked on if a worker took them."""
        return self.filter(state__in=WORKABLE_STATES, lease_token=None)

    def abandoned(self, now: datetime) -> Self:
        """Keep the runs whose worker went silent."""
        return self.exclude(lease_token=None).filter(lease_expires_at__lte=now)


class RoundQuerySet(ProjectScopedQuerySet["RoundRecord"]):
    to_project: ClassVar[str] = "run__project__"


class EventQuerySet(ProjectScopedQuerySet["RunEvent"]):
    to_project: ClassVar[str] = "run__project__"

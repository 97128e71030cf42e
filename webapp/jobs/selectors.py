"""Questions that need the user's permissions, or that workers ask."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from webapp.accounts.scoping import AnyUser
from webapp.errors import NotFoundError
from webapp.jobs.models import Job, Run
from webapp.jobs.querysets import RunQuerySet
from webapp.jobs.services.leases import Checkpoint, latest_checkpoint

#: After so long at the head of the queue, the likely reason is that there is no worker at all.
_PATIENCE = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class RunForWorker:
    """What a worker needs to begin or go on with a run."""

    spec: dict[str, Any]
    digest: str
    rounds_done: int
    checkpoint: Checkpoint | None


def run_for_worker(run_id: UUID) -> RunForWorker:
    run = Run.objects.filter(pk=run_id).first()
    if run is None:
        raise NotFoundError("There is no such run.")
    return RunForWorker(run.spec, run.digest, run.rounds_done, latest_checkpoint(run_id))


def others_waiting(queue: str) -> bool:
    """Return whether any run waits in this queue that no worker holds."""
    return Run.objects.waiting().filter(queue=queue).exists()

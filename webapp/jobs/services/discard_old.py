"""What is kept for how long: checkpoints and events of runs that ended long ago."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F

from webapp.artifacts.models import Artifact, ArtifactKind
from webapp.artifacts.services import discard_file
from webapp.jobs.models import Run, RunEvent
from webapp.jobs.operation_models import Notice
from webapp.jobs.services.report_worker import forget_old_workers
from webapp.jobs.states import FINAL_STATES

#: Rows of one turn; what is left is for the next.
_AT_ONCE = 500
_NOTICES_KEPT = timedelta(days=30)


@dataclass(frozen=True)
class Discarded:
    """How much was removed."""

    checkpoints: int
    runs_without_events: int
    workers: int


def discard_old(*, now: datetime) -> Discarded:
    """Remove what the settings say need not be kept; metrics, models and runs always stay."""
    Notice.objects.filter(due_at=None, created_at__lt=now - _NOTICES_KEPT).delete()
    return Discarded(
        checkpoints=_discard_checkpoints(now),
        runs_without_events=_discard_events(now),
        workers=forget_old_workers(now=now),
    )


def _discard_checkpoints(now: datetime) -> int:
    if settings.KEEP_CHECKPOINTS_DAYS is None:
        return 0
    before = now - timedelta(days=settings.KEEP_CHECKPOINTS_DAYS)
    old = Artifact.objects.filter(
        kind=ArtifactKind.CHECKPOINT, run__state__in=FINAL_STATES, run__finished_at__lt=before
    )
    artifacts = list(old[:_AT_ONCE])
    for artifact in artifacts:
        # The row first: a file without a row is only waste, a row without a file is a lie.
        artifact.delete()
        discard_file(key=artifact.key)
    return len(artifacts)


def _discard_events(now: datetime) -> int:
    if settings.KEEP_EVENTS_DAYS is None:
        return 0
    before = now - timedelta(days=settings.KEEP_EVENTS_DAYS)
    old = Run.objects.filter(
        state__in=FINAL_STATES, finished_at__lt=before, trimmed_seq__lt=F("last_seq")
    )
    ids = list(old.values_list("pk", flat=True)[:_AT_ONCE])
    return sum(_trim(run_id, before) for run_id in ids)


@transaction.atomic
def _trim(run_id: UUID, before: datetime) -> bool:
    still = Run.objects.filter(pk=run_id, state__in=FINAL_STATES, finished_at__lt=before)
    if still.update(trimmed_seq=F("last_seq")) != 1:  # retried in the meantime
        return False
    seq = Run.objects.values_list("trimmed_seq", flat=True).get(pk=run_id)
    RunEvent.objects.filter(run_id=run_id, seq__lte=seq).delete()
    return True

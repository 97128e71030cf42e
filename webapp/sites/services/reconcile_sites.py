"""Upkeep of rounds on sites: deadlines, silence, and what a crash has left."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from webapp.jobs.models import Run
from webapp.jobs.services.run_changes import lock_run
from webapp.jobs.states import RunState
from webapp.sites.models import SiteRound
from webapp.sites.services.forgetting import forget_ended_runs
from webapp.sites.services.requests import forget_nonces
from webapp.sites.services.silence import note_silence
from webapp.sites.services.stages import deadline_of, go_on, go_on_if_answered, has_enough


def reconcile_sites(*, now: datetime) -> list[UUID]:
    """Let workers take the runs whose sites have answered, or whose time is up; return them."""
    forget_nonces(now)
    forget_ended_runs()
    note_silence(now)
    waiting = Run.objects.filter(
        parts_out=True, state=RunState.RUNNING, spec__runtime__placement="sites"
    )
    return [run_id for run_id in list(waiting.values_list("pk", flat=True)) if _look(run_id, now)]


@transaction.atomic
def _look(run_id: UUID, now: datetime) -> bool:
    run = lock_run(run_id)
    if not run.parts_out or run.state != RunState.RUNNING:
        return False
    opened = SiteRound.objects.filter(run=run, round_index=run.rounds_done).first()
    if opened is None or now >= deadline_of(opened) or has_enough(opened, now):
        go_on(run, now)
        return True
    return go_on_if_answered(run, now)

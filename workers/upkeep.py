"""The tasks of upkeep: repair what a crash or a lost message left, and go on with sweeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from importlib import import_module
from uuid import UUID

import structlog

from fedcore.spec import SweepSpec
from fedcore.spec.sweep import Values
from webapp.celery import app
from webapp.jobs import services
from webapp.jobs.clock import database_now
from webapp.jobs.queue import ADVANCE_SWEEP, DISCARD_OLD, RECONCILE
from webapp.sites import services as site_services
from workers.base import RunTask

log = structlog.get_logger(__name__)


@app.task(name=RECONCILE, base=RunTask)
def reconcile() -> None:
    """Free the runs of silent workers, and remind workers of runs that wait."""
    now = database_now()
    if mended := services.mend_times(now=now):
        log.warning("the clock was set back", rows_mended=mended)
    run_ids = [
        *services.reconcile(now=now),
        *services.reconcile_chunks(now=now),
        *site_services.reconcile_sites(now=now),
    ]
    if run_ids:
        log.info("runs sent again", run_ids=[str(run_id) for run_id in run_ids])
    for job_id in services.sweeps_to_advance():
        _advance(job_id)


@app.task(name=ADVANCE_SWEEP, base=RunTask)
def advance_sweep(job_id: str) -> None:
    """Make the next runs of a sweep; delivering the message twice changes nothing."""
    _advance(UUID(job_id))


@app.task(name=DISCARD_OLD, base=RunTask)
def discard_old() -> None:
    """Remove what need not be kept any longer."""
    found = services.discard_old(now=database_now())
    if found != services.Discarded(0, 0, 0):
        log.info("old rows discarded", **asdict(found))


def _advance(job_id: UUID) -> None:
    made = services.advance_sweep(job_id=job_id, suggest=_suggest, now=database_now())
    if made:
        log.info("sweep advanced", job_id=str(job_id), runs_made=made)


def _suggest(sweep: SweepSpec, trials: Sequence[services.Trial]) -> Values:
    # Loaded at the first search: Optuna takes a second and memory that upkeep seldom needs.
    values: Values = import_module("workers.search").suggest(sweep, trials)
    return values

"""The task that repairs what a crash or a lost message left behind."""

from __future__ import annotations

import structlog
from django.utils import timezone

from webapp.celery import app
from webapp.jobs import services
from webapp.jobs.queue import RECONCILE
from workers.base import RunTask

log = structlog.get_logger(__name__)


@app.task(name=RECONCILE, base=RunTask)
def reconcile() -> None:
    """Free the runs of silent workers, and remind workers of runs that wait."""
    run_ids = services.reconcile(now=timezone.now())
    if run_ids:
        log.info("runs sent again", run_ids=[str(run_id) for run_id in run_ids])

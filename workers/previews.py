"""The task that finds out how data would be divided, for a form that is being filled in."""

from __future__ import annotations

import structlog

from fedcore.engine.data import partition_report
from fedcore.errors import FedcoreError
from webapp.celery import app
from webapp.jobs import services
from webapp.jobs.queue import PREVIEW_PARTITION
from workers.base import RunTask

log = structlog.get_logger(__name__)


@app.task(name=PREVIEW_PARTITION, base=RunTask)
def preview_partition(key: str) -> None:
    """Divide the data of a preview; doing it twice gives the same."""
    spec = services.preview_to_make(key)
    if spec is None:
        return
    try:
        report = partition_report(spec)
    except FedcoreError as error:
        log.info("preview failed", problem=error.message)
        services.record_failed_preview(key, f"{error.message} {error.fix or ''}".strip())
        return
    services.record_preview(key, report.to_json())

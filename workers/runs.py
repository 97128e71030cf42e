"""The task that trains: one turn of this worker with one run."""

from __future__ import annotations

import os
import socket
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings

from webapp.celery import app
from webapp.jobs import services
from webapp.jobs.queue import ADVANCE_RUN
from workers.base import RunTask
from workers.engines import EngineCache
from workers.heartbeat import Heartbeat
from workers.retry import TRANSIENT, RetryPolicy
from workers.slices import Slice, Timing

log = structlog.get_logger(__name__)

#: The engines of this process. It has one task thread, so there is no contention for them.
_engines = EngineCache()


@app.task(name=ADVANCE_RUN, base=RunTask, bind=True)
def advance_run(self: Any, run_id: str) -> None:
    """Take the run if it is free and work on it; delivering the message twice changes nothing."""
    queue = (self.request.delivery_info or {}).get("routing_key") or app.conf.task_default_queue
    advance(UUID(run_id), queue=queue, engines=_engines)


def advance(
    run_id: UUID, *, queue: str, engines: EngineCache, retries: RetryPolicy = TRANSIENT
) -> None:
    """Work on a run for one turn, or return at once if there is nothing to do for this worker."""
    lease = services.acquire_lease(run_id=run_id, holder=f"{socket.gethostname()}:{os.getpid()}")
    if lease is None:  # finished, paused, or held by another worker
        log.info("nothing to do")
        return
    timing = Timing(
        slice_s=settings.SLICE_S, checkpoint_every_s=settings.CHECKPOINT_EVERY_S, retries=retries
    )
    with Heartbeat(lease, lease_s=settings.LEASE_S) as heartbeat:
        try:
            Slice(lease, heartbeat, engines=engines, queue=queue, timing=timing).work()
        except services.LeaseLostError:
            log.warning("turn given up, the run belongs to another worker")

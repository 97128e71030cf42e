"""The task that trains: one turn of this worker with one run."""

from __future__ import annotations

import os
import socket
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from structlog.contextvars import bound_contextvars

from webapp.celery import app
from webapp.jobs import services
from webapp.jobs.queue import ADVANCE_RUN
from workers.base import RunTask
from workers.engines import EngineCache
from workers.heartbeat import Heartbeat
from workers.presence import working_on
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
    """Work for one turn on the run whose turn it is, or return at once if there is none."""
    holder = f"{socket.gethostname()}:{os.getpid()}"
    lease = services.take_run(hint=run_id, queue=queue, holder=holder)
    if lease is None:  # nothing waits that may be taken
        log.info("nothing to do")
        return
    timing = Timing(
        slice_s=settings.SLICE_S, checkpoint_every_s=settings.CHECKPOINT_EVERY_S, retries=retries
    )
    with (
        bound_contextvars(run_id=str(lease.run_id)),
        working_on(lease.run_id),
        Heartbeat(lease, lease_s=settings.LEASE_S) as heartbeat,
    ):
        try:
            Slice(lease, heartbeat, engines=engines, timing=timing).work()
        except services.LeaseLostError:
            log.warning("turn given up, the run belongs to another worker")

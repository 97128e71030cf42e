"""The tasks that train: one turn of this worker with one run, or with one part of a round."""

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
from webapp.jobs.queue import ADVANCE_RUN, TRAIN_CHUNK
from workers.base import RunTask
from workers.chunks import train_part
from workers.engines import EngineCache
from workers.heartbeat import Heartbeat
from workers.presence import working_on
from workers.retry import TRANSIENT, RetryPolicy
from workers.shared_rounds import SharedTurn
from workers.site_rounds import SitesTurn
from workers.slices import Slice, Timing
from workers.turns import Turn

log = structlog.get_logger(__name__)

#: The engines of this process. It has one task thread, so there is no contention for them.
_engines = EngineCache()


@app.task(name=ADVANCE_RUN, base=RunTask, bind=True)
def advance_run(self: Any, run_id: str) -> None:
    """Take the run if it is free and work on it; delivering the message twice changes nothing."""
    advance(UUID(run_id), queue=_queue_of(self), engines=_engines)


@app.task(name=TRAIN_CHUNK, base=RunTask, bind=True)
def train_chunk(self: Any, chunk_id: str) -> None:
    """Train a part of a round; delivering the message twice changes nothing."""
    share(UUID(chunk_id), queue=_queue_of(self), engines=_engines)


def advance(
    run_id: UUID, *, queue: str, engines: EngineCache, retries: RetryPolicy = TRANSIENT
) -> None:
    """Work for one turn on the run whose turn it is, or return at once if there is none."""
    lease = services.take_run(hint=run_id, queue=queue, holder=_holder())
    if lease is None:  # nothing waits that may be taken
        log.info("nothing to do")
        return
    _take_turn(lease, engines, retries)


def share(
    chunk_id: UUID, *, queue: str, engines: EngineCache, retries: RetryPolicy = TRANSIENT
) -> None:
    """Train a part of a round, and go on with the run if that was the last part."""
    run_id = train_part(chunk_id, holder=_holder(), queue=queue, engines=engines, retries=retries)
    if run_id is None:
        return
    # This very run, not the one whose turn it is: its other workers wait for the next round.
    lease = services.acquire_lease(run_id=run_id, holder=_holder())
    if lease is not None:
        _take_turn(lease, engines, retries)


def _take_turn(lease: services.Lease, engines: EngineCache, retries: RetryPolicy) -> None:
    with (
        bound_contextvars(run_id=str(lease.run_id)),
        working_on(lease.run_id),
        Heartbeat.of_run(lease, lease_s=settings.LEASE_S) as heartbeat,
    ):
        try:
            _turn(lease, heartbeat, engines, retries).work()
        except services.LeaseLostError:
            log.warning("turn given up, the run belongs to another worker")


def _turn(
    lease: services.Lease, heartbeat: Heartbeat, engines: EngineCache, retries: RetryPolicy
) -> Slice | SharedTurn | SitesTurn:
    turn = Turn(lease, heartbeat, engines, retries)
    placement = lease.spec["runtime"]["placement"]
    if placement == "workers":
        return SharedTurn(turn)
    if placement == "sites":
        return SitesTurn(turn)
    timing = Timing(slice_s=settings.SLICE_S, checkpoint_every_s=settings.CHECKPOINT_EVERY_S)
    return Slice(turn, timing)


def _queue_of(task: Any) -> str:
    routing_key = (task.request.delivery_info or {}).get("routing_key")
    return str(routing_key or app.conf.task_default_queue)


def _holder() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"

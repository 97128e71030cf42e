"""The tasks that train: one turn of this worker with one run, or with one part of a round."""

from __future__ import annotations

import os
import socket
from time import monotonic
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
from workers.stopping import is_stopping
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
    Work(engines, retries).on_run(lease)


def share(
    chunk_id: UUID, *, queue: str, engines: EngineCache, retries: RetryPolicy = TRANSIENT
) -> None:
    """Train a part of a round, and go on with its run while there is something to do."""
    part = services.claim_chunk(
        chunk_id=chunk_id, holder=_holder(), queue=queue, warm=engines.warm()
    )
    if part is None:  # done, taken, or no longer wanted
        log.info("nothing to do")
        return
    Work(engines, retries).on_part(part)


class Work:
    """What a worker does after one message, all of it on one run.

    Whoever trained the last part of a round closes it, opens the next one and trains its first
    part, and whoever has trained a part takes another one: for a slice no message is needed. Then
    they go to the end of the queue, for other runs wait too.
    """

    def __init__(self, engines: EngineCache, retries: RetryPolicy) -> None:
        self._engines = engines
        self._retries = retries
        self._ends_at = monotonic() + settings.SLICE_S

    def on_run(self, lease: services.Lease) -> None:
        """Take a turn with a run."""
        part = self._take_turn(lease)
        if part is not None:
            self.on_part(part)

    def on_part(self, part: services.ChunkLease | None) -> None:
        """Train a part of a round, and what follows."""
        while part is not None:
            lease = train_part(part, engines=self._engines, retries=self._retries)
            if lease is not None:
                # This very run, not the one whose turn it is: its other workers wait.
                part = self._take_turn(lease)
            elif self._goes_on():
                part = services.claim_another(run_id=part.run_id, holder=_holder())
            else:
                return

    def _goes_on(self) -> bool:
        return monotonic() < self._ends_at and not is_stopping()

    def _take_turn(self, lease: services.Lease) -> services.ChunkLease | None:
        """Work for one turn on a run; return what this worker is to train of its next round."""
        with (
            bound_contextvars(run_id=str(lease.run_id)),
            working_on(lease.run_id),
            Heartbeat.of_run(lease, lease_s=settings.LEASE_S) as heartbeat,
        ):
            turn = Turn(lease, heartbeat, self._engines, self._retries)
            try:
                return self._play(turn)
            except services.LeaseLostError:
                log.warning("turn given up, the run belongs to another worker")
                return None

    def _play(self, turn: Turn) -> services.ChunkLease | None:
        placement = turn.lease.spec["runtime"]["placement"]
        if placement == "sites":
            SitesTurn(turn).work()
            return None
        if placement == "workers":
            shared = SharedTurn(turn, trainer=_holder() if self._goes_on() else None)
            shared.work()
            return shared.part
        timing = Timing(slice_s=settings.SLICE_S, checkpoint_every_s=settings.CHECKPOINT_EVERY_S)
        Slice(turn, timing).work()
        return None


def _queue_of(task: Any) -> str:
    routing_key = (task.request.delivery_info or {}).get("routing_key")
    return str(routing_key or app.conf.task_default_queue)


def _holder() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"

"""Who trains a part of a round: claimed, kept and given back like a run, by token and end."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F

from webapp.jobs.chunk_models import Chunk, ChunkState
from webapp.jobs.clock import database_now
from webapp.jobs.models import Run
from webapp.jobs.queue import next_reminder, send_chunk_on_commit
from webapp.jobs.services.leases import Checkpoint, LeaseLostError, latest_checkpoint
from webapp.jobs.states import RequestedAction, RunState

#: So long a part waits for a worker that has its run's data in memory; then anybody takes it.
PREFER_WARM = timedelta(seconds=1)
#: What changes when a worker is given a part.
_TRAINED_BY = ["state", "started_at", "lease_token", "lease_holder", "lease_expires_at"]
#: How many waiting parts a worker chooses from.
_CHOICE = 32


@dataclass(frozen=True, slots=True)
class ChunkLease:
    """The right to train one part of a round, and all that is needed to begin."""

    chunk_id: UUID
    run_id: UUID
    token: str
    holder: str
    spec: dict[str, Any]
    #: Rounds that the state to start from contains, which is also the index of the round.
    rounds_done: int
    checkpoint: Checkpoint | None
    index: int
    attempt: int
    first_lane: int
    end_lane: int
    num_clients: int
    requested: RequestedAction = RequestedAction.NONE


def claim_chunk(
    *,
    chunk_id: UUID,
    holder: str,
    queue: str,
    warm: Collection[UUID] = (),
    now: datetime | None = None,
) -> ChunkLease | None:
    """Take a part of a round; None when there is none for this worker.

    A message entitles its worker to one part, not to a certain one: a worker takes a part of a run
    that it has in memory if one waits, and leaves the named one to whoever gets the next message,
    unless that has waited for long.

    Args:
        chunk_id: The part that the message named.
        holder: Who asks.
        queue: The queue that the message came from.
        warm: Runs that the worker has in memory.
        now: Time of the change; the clock's if not given.
    """
    now = now or database_now()

    def is_its_own(chunk: Chunk) -> bool:
        return chunk.run_id in warm or chunk.waiting_since < now - PREFER_WARM

    # In most rounds the named part is the right one, and a round waits for each query.
    lease = _claim(chunk_id, holder, now, queue=queue, only_if=is_its_own)
    if lease is not None:
        return lease
    for candidate in _by_preference(chunk_id, queue, warm):
        lease = _claim(candidate, holder, now, queue=queue)
        if lease is not None:
            return lease
    return None


@transaction.atomic
def _claim(
    candidate: UUID,
    holder: str,
    now: datetime,
    *,
    queue: str | None = None,
    only_if: Callable[[Chunk], bool] = lambda _: True,
) -> ChunkLease | None:
    # Locked by its own columns alone: a condition on another table would not be looked at again
    # after waiting for somebody who has just taken it.
    locked = Chunk.objects.select_for_update(skip_locked=True)
    chunk = locked.filter(pk=candidate, state=ChunkState.WAITING).first()
    if chunk is None or not only_if(chunk):
        return None
    start = _start_of(chunk, queue)
    if start is None:
        return None
    train_by(chunk, holder, now)
    chunk.save(update_fields=_TRAINED_BY)
    return lease_of(chunk, *start)


def claim_another(*, run_id: UUID, holder: str, now: datetime | None = None) -> ChunkLease | None:
    """Take one more part of a run's round, without a message; None when all are taken."""
    now = now or database_now()
    waiting = Chunk.objects.filter(run_id=run_id, state=ChunkState.WAITING)
    for candidate in waiting.order_by("index").values_list("pk", flat=True)[:_CHOICE]:
        lease = _claim(candidate, holder, now)
        if lease is not None:
            return lease
    return None


def train_by(chunk: Chunk, holder: str, now: datetime) -> None:
    """Give a part to a worker; saving ``_TRAINED_BY`` is the caller's."""
    chunk.state, chunk.started_at = ChunkState.TRAINING, now
    chunk.lease_token, chunk.lease_holder = uuid4().hex, holder
    chunk.lease_expires_at = _end(now)


def _start_of(chunk: Chunk, queue: str | None) -> tuple[dict[str, Any], Checkpoint | None] | None:
    """Return the spec and the state that a part starts from, if it is to be trained now.

    Args:
        chunk: The part.
        queue: Where its run must be queued; anywhere if not given.
    """
    wanting = Run.objects.filter(
        pk=chunk.run_id,
        state=RunState.RUNNING,
        requested_action=RequestedAction.NONE,
        rounds_done=chunk.round_index,
    )
    if queue is not None:
        wanting = wanting.filter(queue=queue)
    spec = wanting.values_list("spec", flat=True).first()
    return None if spec is None else (spec, latest_checkpoint(chunk.run_id))


def renew_chunk(*, lease: ChunkLease, now: datetime | None = None) -> ChunkLease:
    """Keep the part for longer.

    Raises:
        LeaseLostError: If it is no longer wanted: somebody else was first, the round is closed, or
            the run was paused, cancelled or failed.
    """
    mine = Chunk.objects.filter(
        pk=lease.chunk_id,
        lease_token=lease.token,
        state=ChunkState.TRAINING,
        run__state=RunState.RUNNING,
        run__rounds_done=F("round_index"),
    )
    if mine.update(lease_expires_at=_end(now or database_now())) != 1:
        raise lost_chunk(lease)
    return lease


def release_chunk(*, lease: ChunkLease, now: datetime | None = None) -> None:
    """Give a part back untrained; another worker is told. A lease that is lost needs no release."""
    now = now or database_now()
    with transaction.atomic():
        hit = Chunk.objects.filter(
            pk=lease.chunk_id, lease_token=lease.token, state=ChunkState.TRAINING
        ).update(
            state=ChunkState.WAITING,
            lease_token="",
            waiting_since=now,
            hints_sent=1,
            hint_due_at=next_reminder(0, now),
        )
        if hit == 1:
            queue = Run.objects.values_list("queue", flat=True).get(pk=lease.run_id)
            send_chunk_on_commit(lease.chunk_id, queue)


def lost_chunk(lease: ChunkLease) -> LeaseLostError:
    return LeaseLostError("This part of a round is no longer wanted.", run_id=str(lease.run_id))


def _by_preference(chunk_id: UUID, queue: str, warm: Collection[UUID]) -> list[UUID]:
    """Return parts that wait: those of runs in memory, then the named one, then the others."""
    waiting = list(
        Chunk.objects.filter(
            state=ChunkState.WAITING, run__queue=queue, run__state=RunState.RUNNING
        )
        .order_by("waiting_since", "index")
        .values_list("pk", "run_id")[:_CHOICE]
    )
    at_home = [pk for pk, run_id in waiting if run_id in warm]
    elsewhere = [pk for pk, run_id in waiting if run_id not in warm]
    return [*at_home, *sorted(elsewhere, key=lambda pk: pk != chunk_id)]


def lease_of(chunk: Chunk, spec: dict[str, Any], checkpoint: Checkpoint | None) -> ChunkLease:
    """Return the right to train a part that was given to a worker."""
    return ChunkLease(
        chunk_id=chunk.pk,
        run_id=chunk.run_id,
        token=chunk.lease_token,
        holder=chunk.lease_holder,
        spec=spec,
        rounds_done=chunk.round_index,
        checkpoint=checkpoint,
        index=chunk.index,
        attempt=chunk.attempt,
        first_lane=chunk.first_lane,
        end_lane=chunk.end_lane,
        num_clients=chunk.num_clients,
    )


def _end(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.LEASE_S)

"""What a worker says of a part of a round: it is done, or it failed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from webapp.artifacts.services import StoredFile
from webapp.jobs.chunk_models import LIVE, Chunk, ChunkState
from webapp.jobs.clock import database_now
from webapp.jobs.events import LogData
from webapp.jobs.failures import Failure
from webapp.jobs.models import Run
from webapp.jobs.queue import next_reminder
from webapp.jobs.services.chunk_leases import ChunkLease, lost_chunk
from webapp.jobs.services.leases import Lease, hold
from webapp.jobs.services.open_rounds import open_round_of
from webapp.jobs.services.run_changes import FREE, change, lock_run, transition
from webapp.jobs.services.shared_rounds import new_attempt
from webapp.jobs.states import RequestedAction, RunState

#: After so many workers have failed at a part, the run fails.
MOST_FAILURES = 3


@transaction.atomic
def record_part(
    *,
    lease: ChunkLease,
    stored: StoredFile,
    num_updates: int,
    seconds: float,
    now: datetime | None = None,
) -> Lease | None:
    """Record the result of a part; return the run if it was the last, to close the round.

    Of several attempts at a part the first counts. The run is locked meanwhile, so of the workers
    that end at the same moment exactly one is given the run.

    Raises:
        LeaseLostError: If the part is no longer wanted; the caller then removes the file.
    """
    now = now or database_now()
    run = lock_run(lease.run_id)
    if run.state != RunState.RUNNING or run.rounds_done != lease.rounds_done:
        raise lost_chunk(lease)
    of_round = Chunk.objects.of_round(run.pk, lease.rounds_done)
    chunks = list(of_round.order_by("index", "attempt"))
    attempts = [chunk for chunk in chunks if chunk.index == lease.index]
    mine = next((chunk for chunk in attempts if chunk.lease_token == lease.token), None)
    if mine is None or any(chunk.state == ChunkState.DONE for chunk in attempts):
        raise lost_chunk(lease)
    result: dict[str, Any] = {
        "state": ChunkState.DONE,
        "key": stored.key,
        "sha256": stored.sha256,
        "size_bytes": stored.size_bytes,
        "num_updates": num_updates,
        "seconds": seconds,
    }
    if of_round.filter(pk=mine.pk, state=ChunkState.TRAINING).update(**result) != 1:
        raise lost_chunk(lease)
    for name, value in result.items():
        setattr(mine, name, value)
    if any(chunk.state in LIVE for chunk in attempts):
        of_round.filter(index=lease.index).live().update(state=ChunkState.DROPPED)
    found = open_round_of(chunks)
    if not (found.is_complete() and run.parts_out):
        return None
    return hold(run, lease.holder, now, of=lease, all_parts=found)


def take_on(run: Run, now: datetime) -> None:
    """Let the run be taken by whoever closes its round; a reminder follows if nobody does."""
    change(run, now=now, parts_out=False, hints_sent=1, hint_due_at=next_reminder(0, now))


@transaction.atomic
def fail_chunk(*, lease: ChunkLease, failure: Failure, now: datetime | None = None) -> None:
    """Let somebody else try a part at which a worker failed; after some tries the run fails.

    A lease that is lost already needs nothing.
    """
    now = now or database_now()
    run = lock_run(lease.run_id)
    attempts = Chunk.objects.of_round(run.pk, lease.rounds_done).filter(index=lease.index)
    hit = attempts.filter(
        pk=lease.chunk_id, lease_token=lease.token, state=ChunkState.TRAINING
    ).update(state=ChunkState.DROPPED, failure=failure.model_dump(mode="json"))
    if hit != 1 or run.state != RunState.RUNNING or run.rounds_done != lease.rounds_done:
        return
    if attempts.exclude(failure=None).count() >= MOST_FAILURES:
        transition(
            run,
            RunState.FAILED,
            reason=failure.message,
            now=now,
            finished_at=now,
            failure=failure.model_dump(mode="json"),
            requested_action=RequestedAction.NONE,
            **FREE,
        )
        return
    if not attempts.live().exists():
        new_attempt(run, attempts.get(pk=lease.chunk_id), now)
    message = f"Part {lease.index} of round {lease.rounds_done} is tried again: {failure.message}"
    change(run, LogData(level="warning", message=message), now=now)

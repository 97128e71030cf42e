"""Rounds that workers share out: opened in parts, closed with what the parts came to.

Whoever holds the run's lease opens or closes a round in one transaction; in between nobody holds
the run. What a round starts from is the run's checkpoint, which is replaced as the round is closed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from webapp.artifacts.services import (
    StoredFile,
    discard_file,
    discard_other_checkpoints,
    sync_file,
)
from webapp.jobs.chunk_models import Chunk, ChunkState
from webapp.jobs.clock import database_now
from webapp.jobs.events import LogData
from webapp.jobs.models import Run
from webapp.jobs.queue import next_reminder, send_chunk_on_commit
from webapp.jobs.services.chunk_leases import ChunkLease, lease_of, train_by
from webapp.jobs.services.leases import Checkpoint, Lease, lock_leased_run
from webapp.jobs.services.open_rounds import Part
from webapp.jobs.services.record_checkpoint import name_checkpoint
from webapp.jobs.services.record_round import write_rounds
from webapp.jobs.services.run_changes import FREE, change

#: What a run looks like whose round workers train in parts: nobody holds it.
_OUT: dict[str, Any] = {**FREE, "parts_out": True, "hint_due_at": None}


@dataclass(frozen=True, slots=True)
class _Start:
    """What a round starts from, and who trains its first part at once, if anybody does."""

    spec: dict[str, Any]
    checkpoint: Checkpoint | None
    trainer: str | None


@transaction.atomic
def open_round(
    *,
    lease: Lease,
    parts: Sequence[Part],
    trainer: str | None = None,
    now: datetime | None = None,
) -> ChunkLease | None:
    """Share out the run's next round and give the run back; parts that are done stay done.

    Args:
        lease: The right to work on the run, which ends.
        parts: All parts of the round; if it was opened before, that cut of it stands.
        trainer: Who trains the first of them at once, without a message.
        now: Time of the change; the clock's if not given.

    Returns:
        The part that the trainer is to train.

    Raises:
        LeaseLostError: If the run belongs to somebody else.
    """
    now = now or database_now()
    run = lock_leased_run(lease)
    known = list(Chunk.objects.of_round(run.pk, run.rounds_done).order_by("index", "-attempt"))
    part = None
    if not known:
        part = _add_parts(run, parts, now, _Start(lease.spec, lease.checkpoint, trainer))
    else:
        _share_out_again(run, known, now)
    change(run, now=now, **_OUT)
    return part


@transaction.atomic
def close_round(
    *,
    lease: Lease,
    report: dict[str, Any],
    checkpoint: StoredFile,
    next_parts: Sequence[Part],
    used: Sequence[str] = (),
    trainer: str | None = None,
    now: datetime | None = None,
) -> ChunkLease | None:
    """Record a round that was shared out and open the next one, all of it or nothing.

    Args:
        lease: The right to work on the run.
        report: What the engine says of the round.
        checkpoint: The state after it.
        next_parts: All parts of the next one; without any, the lease stands, for the holder to end
            the run.
        used: Files of its parts, which are no longer needed.
        trainer: Who trains the first of the next parts at once, without a message.
        now: Time of the change; the clock's if not given.

    Returns:
        The part of the next round that the trainer is to train, if there is one.

    Raises:
        LeaseLostError: If the run belongs to somebody else; the caller then removes the file.
    """
    now = now or database_now()
    run = lock_leased_run(lease)
    # Whoever has trained this round waits for the transaction: the run is changed once.
    write_rounds(run, [report], now, **(_OUT if next_parts else {}))
    newest = _after(run, checkpoint)
    name_checkpoint(run, newest, now)
    Chunk.objects.filter(run=run, round_index__lt=run.rounds_done).delete()
    start = _Start(lease.spec, newest, trainer)
    part = _add_parts(run, next_parts, now, start)
    # Last, for others wait for their messages. Robust: the round is recorded in any case.
    transaction.on_commit(lambda: _tidy_up(run.pk, checkpoint.key, used), robust=True)
    return part


@transaction.atomic
def drop_results(*, lease: Lease, chunk_ids: Sequence[UUID], now: datetime | None = None) -> None:
    """Have parts trained again whose files are gone or damaged.

    Raises:
        LeaseLostError: If the run belongs to somebody else.
    """
    run = lock_leased_run(lease)
    Chunk.objects.filter(pk__in=chunk_ids, run=run).update(state=ChunkState.DROPPED)
    message = f"{len(chunk_ids)} parts of round {run.rounds_done} were damaged and train again."
    change(run, LogData(level="warning", message=message), now=now or database_now())


def new_attempt(run: Run, earlier: Chunk, now: datetime) -> Chunk:
    """Add one more attempt at a part and tell the workers."""
    attempts = Chunk.objects.of_round(run.pk, earlier.round_index).filter(index=earlier.index)
    last = max(attempts.values_list("attempt", flat=True))
    part = Part(earlier.first_lane, earlier.end_lane, earlier.num_clients)
    chunk = _chunk(run, earlier.round_index, earlier.index, part, now)
    chunk.attempt, chunk.opened_at = last + 1, earlier.opened_at
    chunk.save(force_insert=True)
    send_chunk_on_commit(chunk.pk, run.queue)
    return chunk


def _add_parts(run: Run, parts: Sequence[Part], now: datetime, start: _Start) -> ChunkLease | None:
    """Add the parts of a run's next round; return the trainer's, and tell others of the rest."""
    made = [_chunk(run, run.rounds_done, index, part, now) for index, part in enumerate(parts)]
    mine = made[0] if made and start.trainer else None
    if mine and start.trainer:
        train_by(mine, start.trainer, now)
    Chunk.objects.bulk_create(made)
    for chunk in made:
        if chunk is not mine:
            send_chunk_on_commit(chunk.pk, run.queue)
    return lease_of(mine, start.spec, start.checkpoint) if mine else None


def _share_out_again(run: Run, known: Sequence[Chunk], now: datetime) -> None:
    """Let workers train what of a round is not done.

    Args:
        run: The locked run.
        known: All attempts at the parts of its next round, the latest of each part first.
        now: Time of the change.
    """
    served = {chunk.index for chunk in known if chunk.state == ChunkState.DONE}
    of_round = Chunk.objects.of_round(run.pk, run.rounds_done)
    of_round.live().update(state=ChunkState.DROPPED)
    of_round.update(failure=None)  # a run that is retried may fail as often again
    latest = {chunk.index: chunk for chunk in reversed(known)}
    for index, chunk in sorted(latest.items()):
        if index not in served:
            new_attempt(run, chunk, now)


def _chunk(run: Run, round_index: int, index: int, part: Part, now: datetime) -> Chunk:
    return Chunk(
        run=run,
        round_index=round_index,
        index=index,
        first_lane=part.first_lane,
        end_lane=part.end_lane,
        num_clients=part.num_clients,
        opened_at=now,
        waiting_since=now,
        hint_due_at=next_reminder(0, now),
    )


def _after(run: Run, stored: StoredFile) -> Checkpoint:
    """Return a file as the state after all rounds of a run that are recorded."""
    return Checkpoint(stored.key, stored.size_bytes, stored.sha256, run.rounds_done)


def replace_checkpoint(run: Run, stored: StoredFile, now: datetime) -> None:
    """Make a durable file the run's checkpoint; the one before it is removed.

    No event says so, for it happens in every round.
    """
    name_checkpoint(run, _after(run, stored), now)
    # Robust: the round is recorded, whether or not an old file can be removed.
    transaction.on_commit(
        lambda: discard_other_checkpoints(run_id=run.pk, keep=stored.key), robust=True
    )


def _tidy_up(run_id: UUID, checkpoint: str, parts: Sequence[str]) -> None:
    """Make a run's checkpoint durable, then remove the one before it and what led to it.

    Should the power be cut before, the run's next worker finds no checkpoint and trains its rounds
    again, to the same numbers.
    """
    sync_file(key=checkpoint)
    discard_other_checkpoints(run_id=run_id, keep=checkpoint)
    for key in parts:
        discard_file(key=key)

"""Repairs what a crash, a lost message or a slow worker left of rounds that are shared out."""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import median
from uuid import UUID

from django.db import transaction

from webapp.jobs.chunk_models import Chunk, ChunkState
from webapp.jobs.events import LogData
from webapp.jobs.models import Run
from webapp.jobs.queue import next_reminder, send_advance_on_commit, send_chunk_on_commit
from webapp.jobs.services.open_rounds import find_open_round
from webapp.jobs.services.record_part import take_on
from webapp.jobs.services.run_changes import change, lock_run
from webapp.jobs.services.shared_rounds import new_attempt
from webapp.jobs.states import RunState

#: A part is slow that takes so many times as long as the median of those that are done,
SLOW_FACTOR = 3.0
#: and not before this: starting a worker on new data takes seconds.
SLOW_AFTER = timedelta(seconds=10)
_MOST = 200


def reconcile_chunks(*, now: datetime) -> list[UUID]:
    """Repair shared rounds: return the runs that workers were told about."""
    shared = Run.objects.filter(
        parts_out=True, state=RunState.RUNNING, spec__runtime__placement="workers"
    )
    told = []
    for run_id in list(shared.values_list("pk", flat=True)):
        with transaction.atomic():
            run = lock_run(run_id)
            if run.parts_out and run.state == RunState.RUNNING and _repair(run, now):
                told.append(run_id)
    return told


def _repair(run: Run, now: datetime) -> bool:
    if _is_over(run, now):
        take_on(run, now)
        send_advance_on_commit(run.pk, run.queue)
        return True
    chunks = list(Chunk.objects.of_round(run.pk, run.rounds_done)[:_MOST])
    acted = [_again_if_abandoned(run, chunk, now) for chunk in chunks]
    acted += [_again_if_slow(run, chunk, chunks, now) for chunk in chunks]
    acted += [_remind_if_waiting(run, chunk, now) for chunk in chunks]
    return any(acted)


def _is_over(run: Run, now: datetime) -> bool:
    """Return whether the round can be closed: all is there, or enough at its limit."""
    found = find_open_round(run.pk, run.rounds_done)
    if found is None:
        return True
    runtime = Run.objects.values_list("spec__runtime", flat=True).get(pk=run.pk)
    return found.is_over(runtime["round_limit_s"], runtime["min_updates"], now)


def _again_if_abandoned(run: Run, chunk: Chunk, now: datetime) -> bool:
    if chunk.state != ChunkState.TRAINING or chunk.is_held(now):
        return False
    chunk.state = ChunkState.DROPPED
    chunk.save(update_fields=["state"])
    _try_again(run, chunk, f"{chunk.lease_holder} went silent", now)
    return True


def _again_if_slow(run: Run, chunk: Chunk, chunks: list[Chunk], now: datetime) -> bool:
    """Give a part to a second worker when most others are long done; the first result counts."""
    done = [c.seconds / max(c.num_clients, 1) for c in chunks if c.state == ChunkState.DONE]
    rivals = [c for c in chunks if c.index == chunk.index and c.state in ("waiting", "training")]
    if chunk.state != ChunkState.TRAINING or chunk.started_at is None or len(rivals) > 1:
        return False
    num_parts = len({c.index for c in chunks})
    if 2 * len(done) < num_parts:
        return False
    usual = timedelta(seconds=SLOW_FACTOR * median(done) * chunk.num_clients)
    if now - chunk.started_at < max(usual, SLOW_AFTER):
        return False
    _try_again(run, chunk, f"{chunk.lease_holder} is slow", now)
    return True


def _try_again(run: Run, chunk: Chunk, why: str, now: datetime) -> None:
    new_attempt(run, chunk, now)
    message = f"Part {chunk.index} of round {chunk.round_index} goes to another worker: {why}."
    change(run, LogData(level="warning", message=message), now=now)


def _remind_if_waiting(run: Run, chunk: Chunk, now: datetime) -> bool:
    if chunk.state != ChunkState.WAITING or chunk.hint_due_at > now:
        return False
    chunk.hint_due_at = next_reminder(chunk.hints_sent, now)
    chunk.hints_sent += 1
    chunk.save(update_fields=["hint_due_at", "hints_sent"])
    send_chunk_on_commit(chunk.pk, run.queue)
    return True

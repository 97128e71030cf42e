"""The names of the tasks, and nothing else names them.

A message is a hint that carries an id. Losing one loses nothing: the row stays as it is, and
``reconcile`` sends the hint again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from django.db import transaction
from kombu.exceptions import KombuError

from webapp.celery import CONFIRM_TIMEOUT_S, app
from webapp.messenger import Messenger

ADVANCE_RUN = "runs.advance"
ADVANCE_SWEEP = "sweeps.advance"
TRAIN_CHUNK = "runs.train_chunk"
RECONCILE = "upkeep.reconcile"
DISCARD_OLD = "upkeep.discard_old"
PREVIEW_PARTITION = "previews.partition"
UPKEEP_QUEUE = "upkeep"

#: The longer a run waits, the rarer the reminders: behind a long queue they would only pile up.
_FIRST_REMINDER = timedelta(seconds=10)
LONGEST_REMINDER = timedelta(seconds=120)

log = structlog.get_logger(__name__)
_messenger = Messenger()


def send_advance_on_commit(run_id: UUID, queue: str) -> None:
    """Tell the workers, once the transaction is durable, that this run wants work."""
    transaction.on_commit(lambda: _send(ADVANCE_RUN, run_id, queue))


def send_advance_sweep_on_commit(job_id: UUID) -> None:
    """Tell the upkeep worker that a sweep may have its next run made."""
    transaction.on_commit(lambda: _send(ADVANCE_SWEEP, job_id, UPKEEP_QUEUE))


def send_chunk_on_commit(chunk_id: UUID, queue: str) -> None:
    """Tell the workers, once the transaction is durable, that a part of a round wants work."""
    transaction.on_commit(lambda: _send(TRAIN_CHUNK, chunk_id, queue))


def send_preview_on_commit(key: str) -> None:
    """Tell the workers, once the transaction is durable, that somebody waits for a preview."""
    transaction.on_commit(lambda: _send(PREVIEW_PARTITION, key, "cpu"))


def send_upkeep(task: str, *, expires_s: float) -> None:
    """Ask the upkeep worker for a turn of one of its tasks; one that comes late is dropped."""
    try:
        app.send_task(
            task, queue=UPKEEP_QUEUE, expires=expires_s, confirm_timeout=CONFIRM_TIMEOUT_S
        )
    except (KombuError, OSError) as error:
        log.warning("upkeep not asked for", task=task, error=str(error))


def next_reminder(hints_sent: int, now: datetime) -> datetime:
    """Return when a hint must be sent again if nobody has taken the run by then."""
    doublings = min(hints_sent, 10)
    pause = min(_FIRST_REMINDER * 2.0**doublings, LONGEST_REMINDER)
    return now + pause


def _send(task: str, row_id: UUID | str, queue: str) -> None:
    send = partial(
        app.send_task, task, args=[str(row_id)], queue=queue, confirm_timeout=CONFIRM_TIMEOUT_S
    )
    _messenger.deliver(send, task=task, id=str(row_id))

"""The names of the tasks, and nothing else names them.

A message is a hint that carries an id. Losing one loses nothing: the row stays as it is, and
``reconcile`` sends the hint again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from kombu.exceptions import KombuError

from webapp.celery import app

ADVANCE_RUN = "runs.advance"
RECONCILE = "upkeep.reconcile"
UPKEEP_QUEUE = "upkeep"

#: The longer a run waits, the rarer the reminders: behind a long queue they would only pile up.
_FIRST_REMINDER_S = 10
_LAST_REMINDER_S = 120

log = structlog.get_logger(__name__)


def send_advance_on_commit(run_id: UUID, queue: str) -> None:
    """Tell the workers, once the transaction is durable, that this run wants work."""
    transaction.on_commit(lambda: _send_advance(run_id, queue))


def next_reminder(hints_sent: int, now: datetime) -> datetime:
    """Return when a hint must be sent again if nobody has taken the run by then."""
    doublings = min(hints_sent, 10)
    return now + timedelta(seconds=min(_FIRST_REMINDER_S * 2**doublings, _LAST_REMINDER_S))


def _send_advance(run_id: UUID, queue: str) -> None:
    try:
        app.send_task(ADVANCE_RUN, args=[str(run_id)], queue=queue)
    except (KombuError, OSError) as error:
        log.warning("hint not sent", run_id=str(run_id), error=str(error))

"""Telling people and programs that a run or a sweep has ended.

The notices are rows that are written with the end itself, and sent later by upkeep: nobody waits
for a slow receiver, and a crash neither loses nor invents one. A receiver may get one twice.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings

from webapp.accounts.models import User
from webapp.jobs.models import Job, Run
from webapp.jobs.operation_models import Notice, NoticeChannel

#: Sends a notice, or raises an exception whose text says why not.
Send = Callable[[Notice], None]

_MAX_ATTEMPTS = 8
_FIRST_PAUSE = timedelta(minutes=1)
_CLAIM = timedelta(minutes=1)
#: Notices of one turn: upkeep has other work, and a receiver may take seconds not to answer.
_AT_ONCE = 3

log = structlog.get_logger(__name__)


def notify_of_run(run: Run, now: datetime) -> None:
    """Write the notices of a run that has ended; those of a sweep are told of as one."""
    if run.point is not None:
        return
    body = {
        "event": "run.ended",
        "run": str(run.pk),
        "name": run.name,
        "number": run.number,
        "state": run.state,
        "rounds_done": run.rounds_done,
        "metrics": run.latest_metrics,
        "failure": run.failure,
    }
    _write(body, run.created_by_id, now)


def notify_of_sweep(job: Job, state: str, now: datetime) -> None:
    """Write the notices of a sweep that has ended."""
    body = {"event": "sweep.ended", "job": str(job.pk), "name": job.name, "state": state}
    _write(body, job.created_by_id, now)


def send_due_notices(*, send: Send, now: datetime) -> int:
    """Send what is due, a few at a time; return how many were sent."""
    sent = 0
    due = Notice.objects.filter(due_at__lte=now).order_by("due_at")[:_AT_ONCE]
    for notice in list(due):
        mine = Notice.objects.filter(pk=notice.pk, due_at=notice.due_at)
        if mine.update(due_at=now + _CLAIM) == 1:  # else another upkeep worker has it
            sent += _attempt(notice, send, now)
    return sent


def _attempt(notice: Notice, send: Send, now: datetime) -> bool:
    notice.attempts += 1
    try:
        send(notice)
    except Exception as error:  # noqa: BLE001 (whatever a receiver does, upkeep goes on)
        notice.error = f"{type(error).__name__}: {error}"[:300]
        again = notice.attempts < _MAX_ATTEMPTS
        pause = _FIRST_PAUSE * 2 ** (notice.attempts - 1)
        notice.due_at = now + pause if again else None
        log.warning("notice not sent", id=str(notice.pk), again=again, reason=notice.error)
    else:
        notice.sent_at, notice.due_at, notice.error = now, None, ""
    notice.save(update_fields=["attempts", "error", "due_at", "sent_at"])
    return notice.sent_at is not None


def _write(body: dict[str, Any], user_id: UUID, now: datetime) -> None:
    targets = [(NoticeChannel.WEBHOOK, str(index)) for index in range(len(settings.WEBHOOK_URLS))]
    if settings.EMAIL_HOST_IS_SET:
        address = User.objects.filter(pk=user_id, is_active=True).values_list("email", flat=True)
        targets += [(NoticeChannel.EMAIL, email) for email in address if email]
    Notice.objects.bulk_create(
        Notice(channel=channel, target=target, body=body, created_at=now, due_at=now)
        for channel, target in targets
    )

"""Telling people and programs that a run or a sweep has ended.

The notices are rows that are written with the end itself, and sent later by upkeep, to each
receiver by a thread of its own: nobody waits for a slow one, and a crash neither loses nor invents
a notice. A receiver may get one twice.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple
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
#: Notices to choose from, when other upkeep workers send too.
_CHOICE = 10

log = structlog.get_logger(__name__)


class Receiver(NamedTuple):
    """Who is told: a webhook, or whoever gets mail, which one server takes for all of them."""

    channel: str
    target: str = ""


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


def receivers_due(*, now: datetime) -> list[Receiver]:
    """Return whom something is to be sent to, each once."""
    due = Notice.objects.filter(due_at__lte=now).order_by()
    webhooks = due.filter(channel=NoticeChannel.WEBHOOK)
    targets = webhooks.values_list("target", flat=True).distinct()
    found = [Receiver(NoticeChannel.WEBHOOK, target) for target in targets]
    if due.filter(channel=NoticeChannel.EMAIL).exists():
        found.append(Receiver(NoticeChannel.EMAIL))
    return found


def send_next_notice(*, receiver: Receiver, send: Send, now: datetime) -> bool:
    """Send what has been due longest to a receiver; return whether it was there and was sent."""
    due = Notice.objects.filter(due_at__lte=now, channel=receiver.channel)
    if receiver.target:
        due = due.filter(target=receiver.target)
    for notice in due.order_by("due_at")[:_CHOICE]:
        mine = Notice.objects.filter(pk=notice.pk, due_at=notice.due_at)
        if mine.update(due_at=now + _CLAIM) == 1:  # else another upkeep worker has it
            return _attempt(notice, send, now)
    return False


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

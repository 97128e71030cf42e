"""A sentence handed to a worker, and the wait for what its model writes.

The row is the truth and the message a hint, as everywhere. A sentence is forgotten as soon as its
answer was read, or nobody waits for it any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from threading import Event
from time import monotonic
from uuid import UUID

import structlog
from django.utils import timezone
from kombu.exceptions import KombuError

from fedcore.spec import RunSpec
from webapp.celery import CONFIRM_TIMEOUT_S, app
from webapp.intents.local import NoAnswerError
from webapp.intents.models import IntentRequest
from webapp.request_places import stand_aside

ANSWER = "intents.answer"
QUEUE = "cpu"
_LOOK_EVERY_S = 0.05
_FORGET_AFTER = timedelta(hours=1)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Sentence:
    """What a worker needs to know of a request."""

    prompt: str
    draft: RunSpec | None


def ask_worker(prompt: str, current: RunSpec | None, *, timeout_s: float) -> str:
    """Return what the model of a worker writes about a sentence.

    Raises:
        NoAnswerError: If none comes in time, or the worker has no model.
    """
    IntentRequest.objects.filter(asked_at__lt=timezone.now() - _FORGET_AFTER).delete()
    draft = None if current is None else current.model_dump(mode="json")
    request = IntentRequest.objects.create(prompt=prompt, draft=draft)
    stand_aside()
    try:
        _send(request.pk)
        return _answer_to(request.pk, monotonic() + timeout_s)
    finally:
        IntentRequest.objects.filter(pk=request.pk).delete()


def _send(request_id: UUID) -> None:
    try:
        app.send_task(
            ANSWER, args=[str(request_id)], queue=QUEUE, confirm_timeout=CONFIRM_TIMEOUT_S
        )
    except (KombuError, OSError) as error:
        raise NoAnswerError("no worker can be reached") from error


def _answer_to(request_id: UUID, deadline: float) -> str:
    pause = Event()
    while monotonic() < deadline:
        row = IntentRequest.objects.filter(pk=request_id).values_list("text", "problem").first()
        text, problem = row or (None, "the request is gone")
        if problem:
            raise NoAnswerError(problem)
        if text is not None:
            return str(text)
        pause.wait(_LOOK_EVERY_S)
    raise NoAnswerError("no worker answered in time")


def sentence_to_answer(request_id: str) -> Sentence | None:
    """Return what waits for an answer, or None if nobody does any more."""
    found = IntentRequest.objects.filter(pk=request_id, text=None, problem="").first()
    if found is None:
        return None
    draft = None if found.draft is None else RunSpec.model_validate(found.draft)
    return Sentence(found.prompt, draft)


def record_text(request_id: str, text: str) -> None:
    """Keep what the model wrote, if somebody still waits for it."""
    IntentRequest.objects.filter(pk=request_id).update(text=text)


def record_problem(request_id: str, problem: str) -> None:
    """Keep why there is no answer."""
    _log.warning("local model has no answer", problem=problem)
    IntentRequest.objects.filter(pk=request_id).update(problem=problem or "no answer")

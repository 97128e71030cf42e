"""The task that asks this worker's language model about a sentence."""

from __future__ import annotations

from functools import cache

from django.conf import settings

from fedcore.errors import FedcoreError
from webapp.celery import app
from webapp.intents.local import NoAnswerError
from webapp.intents.waiting import ANSWER, record_problem, record_text, sentence_to_answer
from workers.base import RunTask
from workers.language_model import LanguageModel


@app.task(name=ANSWER, base=RunTask)
def answer_sentence(request_id: str) -> None:
    """Answer a sentence that somebody waits for; doing it twice gives the same."""
    sentence = sentence_to_answer(request_id)
    if sentence is None:
        return
    try:
        text = _model(settings.INTENTS_MODEL).complete(sentence.prompt, sentence.draft)
    except NoAnswerError as error:
        record_problem(request_id, str(error))
    except FedcoreError as error:
        record_problem(request_id, error.message)
    else:
        record_text(request_id, text)


@cache
def _model(path: str) -> LanguageModel:
    """Return the model, which stays loaded while this process lives."""
    return LanguageModel(path, timeout_s=settings.INTENTS_TIMEOUT_S)

"""A sentence that is handed to a worker, and the wait for its answer."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Thread

import pytest
from django.db import connection
from pytest_django import Settings

from tests.intents.tiny_writer import write_writer
from webapp.intents.backends import configured_backend
from webapp.intents.local import NoAnswerError
from webapp.intents.models import IntentRequest
from webapp.intents.waiting import ask_worker
from workers.intents import answer_sentence
from workers.language_model import TUNED_MARK


@pytest.fixture
def model(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    (write_writer(tmp_path / "writer") / TUNED_MARK).write_text("{}")
    monkeypatch.setenv("ROUNDHOUSE_MODELS_DIR", str(tmp_path))
    settings.INTENTS_BACKEND = "local"
    settings.INTENTS_MODEL = "writer"
    settings.INTENTS_TIMEOUT_S = 30.0


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("model")
def test_a_worker_answers_and_the_sentence_is_forgotten() -> None:
    def work() -> None:
        while not (waiting := IntentRequest.objects.values_list("pk", flat=True).first()):
            pass
        answer_sentence(str(waiting))
        connection.close()

    worker = Thread(target=work)
    worker.start()
    result = configured_backend().answer("MNIST with ten clients", None)
    worker.join()
    assert result.backend == "local"
    assert IntentRequest.objects.count() == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("model")
def test_nobody_waits_longer_than_is_allowed() -> None:
    with pytest.raises(NoAnswerError):
        ask_worker("ten clients", None, timeout_s=0.2)
    assert IntentRequest.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.usefixtures("model")
def test_a_worker_says_why_it_has_no_answer(settings: Settings) -> None:
    settings.INTENTS_MODEL = "missing"
    request = IntentRequest.objects.create(prompt="ten clients")
    answer_sentence(str(request.pk))
    request.refresh_from_db()
    assert "missing" in request.problem


@pytest.mark.django_db
@pytest.mark.usefixtures("model")
def test_answering_twice_changes_nothing() -> None:
    request = IntentRequest.objects.create(prompt="ten clients")
    answer_sentence(str(request.pk))
    request.refresh_from_db()
    text = request.text
    answer_sentence(str(request.pk))
    request.refresh_from_db()
    assert request.text == text
    assert "spec" in json.loads(text or "{}")

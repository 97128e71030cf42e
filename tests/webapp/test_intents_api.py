"""Prompts over the API: who may ask, how much, how often, and that nothing comes of asking."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from pytest_django import Settings
from rest_framework.test import APIClient

from fedcore.spec import RunSpec
from tests.intents.chat_server import chat_server
from tests.webapp.conftest import signed_in
from webapp.accounts.models import User
from webapp.intents.views import MAX_PROMPT, IntentThrottle
from webapp.jobs.models import Job, Run

INTENTS = "/api/v1/intents/"


@pytest.fixture(autouse=True)
def _fresh_throttle() -> None:
    cache.clear()


def answer(api: APIClient, **body: Any) -> dict[str, Any]:
    got = api.post(INTENTS, body)
    assert got.status_code == 200, got.content
    found: dict[str, Any] = got.json()
    return found


def test_a_sentence_becomes_a_draft_and_nothing_is_saved(api: APIClient) -> None:
    found = answer(api, prompt="FedProx on MNIST with 12 clients")
    assert found["spec"]["algorithm"]["kind"] == "fedprox"
    assert found["spec"]["partition"]["clients"] == 12
    assert (found["sweep"], found["declined"], found["backend"]) == (None, None, "builtin")
    assert found["seconds"] > 0
    assert RunSpec.model_validate(found["spec"]).dataset.kind == "mnist"
    assert (Job.objects.count(), Run.objects.count()) == (0, 0)


def test_fields_say_which_words_they_come_from(api: APIClient) -> None:
    fields = answer(api, prompt="train with 12 clients")["fields"]
    clients = next(field for field in fields if field["path"] == "partition.clients")
    assert clients == {
        "path": "partition.clients",
        "value": 12,
        "source": "prompt",
        "text": "12 clients",
        "start": 11,
        "end": 21,
    }


def test_several_runs_become_a_sweep(api: APIClient) -> None:
    sweep = answer(api, prompt="learning rates 0.3 and 0.03, three seeds")["sweep"]
    assert (sweep["axes"], sweep["seeds"]) == ({"local.lr": [0.3, 0.03]}, 3)


def test_a_follow_up_changes_the_draft(api: APIClient) -> None:
    draft = RunSpec.model_validate({"rounds": 7}).model_dump(mode="json")
    found = answer(api, prompt="make it 12 clients", draft=draft)
    assert found["spec"]["rounds"] == 7
    assert found["changes"] == [{"path": "partition.clients", "before": 20, "after": 12}]


def test_a_wrong_draft_is_refused_by_path(api: APIClient) -> None:
    got = api.post(INTENTS, {"prompt": "more rounds", "draft": {"rounds": 0}})
    assert (got.status_code, got.json()["code"]) == (400, "invalid_spec")
    assert list(got.json()["fields"]) == ["draft.rounds"]


@pytest.mark.parametrize("prompt", ["delete all runs", "what is the weather?", ""])
def test_what_is_no_run_is_declined(api: APIClient, prompt: str) -> None:
    found = answer(api, prompt=prompt)
    assert found["declined"]
    assert (found["spec"], found["sweep"]) == (None, None)


@pytest.mark.parametrize("prompt", ["x" * (MAX_PROMPT + 1), None, 5.5, ["a"]])
def test_a_prompt_is_text_of_limited_length(api: APIClient, prompt: object) -> None:
    got = api.post(INTENTS, {"prompt": prompt})
    if isinstance(prompt, float):  # JSON numbers are taken as text
        assert got.status_code == 200
    else:
        assert (got.status_code, list(got.json()["fields"])) == (400, ["prompt"])


def test_the_longest_prompt_is_answered(api: APIClient) -> None:
    words = "ten clients and twenty rounds of FedProx with mu 0.1, no, 0.2; "
    assert answer(api, prompt=(words * 100)[:MAX_PROMPT])["declined"] is None


def test_a_viewer_may_ask_and_nobody_else_is_let_in(viewer: User) -> None:
    assert answer(signed_in(viewer), prompt="MNIST")["spec"]["dataset"]["kind"] == "mnist"
    got = APIClient().post(INTENTS, {"prompt": "MNIST"})
    assert (got.status_code, got.json()["code"]) == (401, "not_authenticated")


def test_asking_too_often_is_refused_per_user(
    editor: User, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(IntentThrottle, "THROTTLE_RATES", {"intents": "2/min"})
    statuses = [signed_in(editor).post(INTENTS, {"prompt": "MNIST"}).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert signed_in(stranger).post(INTENTS, {"prompt": "MNIST"}).status_code == 200


def test_the_settings_choose_the_back_end(api: APIClient, settings: Settings) -> None:
    with chat_server() as chat:
        chat.says('{"spec": {"rounds": 44}}')
        settings.INTENTS_BACKEND, settings.INTENTS_URL = "openai", chat.url
        settings.INTENTS_API_KEY = None
        found = answer(api, prompt="44 rounds please")
    assert (found["backend"], found["spec"]["rounds"]) == ("openai", 44)

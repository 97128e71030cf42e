"""``/metrics``: who may read it, and what it says."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings

from tests.factories import begin, make_run
from webapp.accounts.models import Project, User
from webapp.jobs.models import Run
from webapp.settings.env import Environment, Mode


def scrape(client: Client, **headers: str) -> tuple[int, str]:
    answer = client.get("/metrics", headers=headers)
    return answer.status_code, answer.content.decode()


def test_the_numbers_are_those_of_the_database(
    client: Client, settings: Settings, run: Run, editor: User, project: Project
) -> None:
    settings.METRICS_TOKEN = "secret"  # noqa: S105
    begin(make_run(editor, project))
    client.get(f"/api/v1/runs/{run.pk}/")
    status, text = scrape(client, authorization="Bearer secret")
    assert status == 200
    assert 'roundhouse_runs{state="queued"} 1.0' in text
    assert 'roundhouse_runs{state="starting"} 0.0' in text
    assert 'roundhouse_queue_waiting{queue="cpu"} 1.0' in text
    assert 'roundhouse_workers{busy="no",queue="upkeep"} 0.0' in text
    assert 'route="api/v1/runs/<uuid:run_id>/",status="401"' in text
    assert str(run.pk) not in text, "series must not grow with rows"


def test_with_a_token_only_its_holder_reads_them(
    client: Client, settings: Settings, db: None
) -> None:
    settings.METRICS_TOKEN = "secret"  # noqa: S105
    assert scrape(client)[0] == 404
    assert scrape(client, authorization="Bearer wrong")[0] == 404
    assert scrape(client, authorization="Bearer secret")[0] == 200


@pytest.mark.parametrize(
    ("address", "headers"),
    [("10.0.0.7", {}), ("127.0.0.1", {"x-forwarded-for": "10.0.0.7"}), ("", {})],
)
def test_without_a_token_they_are_for_this_machine_alone(
    db: None, address: str, headers: dict[str, str]
) -> None:
    assert scrape(Client(REMOTE_ADDR=address), **headers)[0] == 404


def test_an_embedded_installation_shows_them_to_its_own_machine(
    client: Client, settings: Settings, db: None
) -> None:
    settings.ENVIRONMENT = Environment.model_construct(mode=Mode.EMBEDDED)
    assert scrape(client)[0] == 200


def test_a_server_without_a_token_has_none(client: Client, settings: Settings, db: None) -> None:
    settings.ENVIRONMENT = Environment.model_construct(mode=Mode.SERVER)
    assert scrape(client)[0] == 404

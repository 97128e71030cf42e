"""What is said of a run before it waits: time, memory, whether it fits."""

from __future__ import annotations

from typing import Any

from pytest_django import Settings
from rest_framework.test import APIClient

from tests.factories import make_run, train
from tests.webapp.conftest import signed_in
from tests.webapp.test_queue import report_of, say
from webapp.accounts.models import Project, User
from webapp.jobs.models import Run


def estimated(api: APIClient, **spec: Any) -> dict[str, Any]:
    found: dict[str, Any] = api.post("/api/v1/spec/validate/", {"spec": spec}).json()["estimate"]
    return found


def test_the_time_is_that_of_earlier_runs_that_the_user_may_see(
    api: APIClient, stranger: User, editor: User, project: Project
) -> None:
    assert estimated(api, rounds=10)["seconds_total"] is None
    train(make_run(editor, project), 0.1, 0.2, 0.3)
    found = estimated(api, rounds=10, seed=5)
    assert (found["seconds_per_round"], found["seconds_total"]) == (0.25, 2.5)
    assert estimated(api, rounds=10, local={"epochs": 9})["seconds_total"] is None
    assert estimated(signed_in(stranger), rounds=10)["seconds_total"] is None


def test_a_run_fits_if_a_live_worker_of_its_queue_has_the_memory(api: APIClient) -> None:
    assert estimated(api)["fits"] is None
    say(report_of("cpu"))
    assert estimated(api)["fits"] is True
    assert estimated(api, runtime={"device": "cuda"})["fits"] is None
    large = {"kind": "mlp", "hidden": [10_000, 10_000, 10_000]}
    assert isinstance(estimated(api, model=large)["fits"], bool)


def test_a_run_that_no_worker_could_hold_is_refused_when_it_is_submitted(
    api: APIClient, project: Project, settings: Settings
) -> None:
    settings.MAX_MODEL_BYTES = 2**60
    spec = {"model": {"kind": "mlp", "hidden": [28_000, 28_000]}}  # 12.6 GB
    body = {"name": "large", "spec": spec, "launch": True}
    say(report_of("cpu"))
    refused = api.post("/api/v1/jobs/", body)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_spec")
    (message,) = refused.json()["fields"]["model"]
    assert "the largest worker" in message
    assert "ROUNDHOUSE_ACCEPT_WHAT_DOES_NOT_FIT" in message
    assert Run.objects.count() == 0
    assert not api.post("/api/v1/spec/validate/", {"spec": spec}).json()["valid"]

    settings.ACCEPT_WHAT_DOES_NOT_FIT = True
    assert api.post("/api/v1/jobs/", body).status_code == 201
    assert Run.objects.count() == 1


def test_nothing_is_refused_for_its_size_while_no_worker_is_known(
    api: APIClient, project: Project, settings: Settings
) -> None:
    settings.MAX_MODEL_BYTES = 2**60
    spec = {"model": {"kind": "mlp", "hidden": [28_000, 28_000]}}
    body = {"name": "large", "spec": spec, "launch": True}
    assert api.post("/api/v1/jobs/", body).status_code == 201

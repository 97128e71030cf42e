"""What is said of a run before it waits: time, memory, whether it fits."""

from __future__ import annotations

from typing import Any

from rest_framework.test import APIClient

from tests.factories import make_run, train
from tests.webapp.conftest import signed_in
from tests.webapp.test_queue import report_of, say
from webapp.accounts.models import Project, User


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

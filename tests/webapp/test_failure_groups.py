"""Failure cards: the first cause, and the clients' troubles grouped by reason."""

from __future__ import annotations

from rest_framework.test import APIClient

from tests.factories import begin, client_report, report
from webapp.accounts.models import User
from webapp.jobs import services
from webapp.jobs.models import Run


def test_troubles_are_grouped_by_reason_over_clients_and_rounds(api: APIClient, run: Run) -> None:
    lease = begin(run)
    bad = client_report(1, status="refused", reason="not finite: 3 numbers of layer.weight")
    worse = client_report(2, status="refused", reason="not finite: 41 numbers of layer.weight")
    broken = client_report(0, status="failed", reason="ValueError: no examples")
    services.record_round(lease=lease, report=report(0, clients=[client_report(0), bad]))
    services.record_round(lease=lease, report=report(1, clients=[broken, bad, worse]))
    shown = api.get(f"/api/v1/runs/{run.pk}/failures/").json()
    assert shown["failure"] is None
    first, second = shown["groups"]
    assert (first["status"], first["count"], first["num_clients"]) == ("refused", 3, 2)
    assert (first["clients"], first["rounds"]) == ([1, 2], [0, 1])
    assert first["message"] == "not finite: 3 numbers of layer.weight"
    assert "local.lr" in first["fix"]
    assert (second["status"], second["clients"], second["rounds"]) == ("failed", [0], [1])


def test_the_clients_of_the_round_that_ended_a_run_are_grouped_too(
    api: APIClient, run: Run, editor: User
) -> None:
    failure = services.Failure(code="too_few_updates", message="0 of 1", round_index=0, fix="x")
    reasons: dict[int | str, str] = {4: "not finite", 9: "not finite"}
    services.fail_run(lease=begin(run), failure=failure, clients=reasons)
    shown = api.get(f"/api/v1/runs/{run.pk}/failures/").json()
    assert shown["failure"]["code"] == "too_few_updates"
    assert [(group["clients"], group["rounds"]) for group in shown["groups"]] == [([4, 9], [0])]
    services.request_retry(run=run, user=editor)
    assert api.get(f"/api/v1/runs/{run.pk}/failures/").json() == {"failure": None, "groups": []}

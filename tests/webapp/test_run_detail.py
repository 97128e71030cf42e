"""One run over REST: what it shows in each situation, and how it is controlled."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from tests.factories import begin, make_run, report, take
from webapp.accounts.models import Project, User
from webapp.jobs import services
from webapp.jobs.models import Run


def get(api: APIClient, run: Run, suffix: str = "") -> dict[str, Any]:
    answer = api.get(f"/api/v1/runs/{run.pk}/{suffix}")
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def test_a_queued_run_shows_its_place_and_why_it_waits(
    api: APIClient, editor: User, project: Project
) -> None:
    first, second, third = (make_run(editor, project) for _ in range(3))
    assert get(api, first)["queue"] == {
        "position": 1,
        "reason": "Next in line, waiting for a free worker.",
        "starts_in_s": None,
    }
    assert get(api, third)["queue"]["position"] == 3
    take(first)
    assert get(api, first)["queue"] is None
    assert get(api, third)["queue"] == {
        "position": 2,
        "reason": "Waiting for a free worker; 1 other run is ahead.",
        "starts_in_s": None,
    }
    services.request_cancel(run=second, user=editor)
    assert get(api, third)["queue"]["position"] == 1


def test_a_run_that_nobody_takes_asks_whether_there_is_a_worker(api: APIClient, run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(queued_at=timezone.now() - timedelta(minutes=1))
    assert "No worker serves the cpu queue" in get(api, run)["queue"]["reason"]


def test_a_running_run_shows_progress_totals_and_the_time_left(api: APIClient, run: Run) -> None:
    lease = begin(run)
    assert get(api, run)["eta_s"] is None, "nothing is known yet"
    services.record_round(lease=lease, report=report(0, seconds=2.0))
    shown = get(api, run)
    assert (shown["state"], shown["rounds_done"], shown["rounds_total"]) == ("running", 1, 3)
    assert shown["eta_s"] == 4.0
    assert shown["totals"] == {
        "bytes_up": 1_000,
        "bytes_down": 2_000,
        "seconds": 2.0,
        "sim_seconds": 3.0,
    }
    assert shown["latest_metrics"] == {"accuracy": 0.5, "loss": 1.0}
    assert shown["executor"] == "sequential"


def test_a_failed_run_shows_its_failure_and_what_to_do(api: APIClient, run: Run) -> None:
    failure = services.Failure(
        code="dataset_unreadable", message="No such file.", field="dataset", fix="Check the path."
    )
    services.fail_run(lease=begin(run), failure=failure)
    shown = get(api, run)
    assert (shown["state"], shown["is_final"], shown["eta_s"]) == ("failed", True, None)
    assert shown["failure"] == {
        "code": "dataset_unreadable",
        "message": "No such file.",
        "client_id": None,
        "round_index": None,
        "field": "dataset",
        "fix": "Check the path.",
    }
    assert shown["allowed_actions"] == ["retry", "clone"]


def test_an_action_answers_with_the_run_after_it(api: APIClient, run: Run) -> None:
    paused = api.post(f"/api/v1/runs/{run.pk}/pause/").json()
    assert (paused["state"], paused["allowed_actions"]) == ("paused", ["resume", "cancel", "clone"])
    resumed = api.post(f"/api/v1/runs/{run.pk}/resume/").json()
    assert resumed["state"] == "queued"
    assert api.post(f"/api/v1/runs/{run.pk}/cancel/").json()["state"] == "cancelled"
    assert api.post(f"/api/v1/runs/{run.pk}/retry/").json()["attempt"] == 2


def test_a_request_to_a_worker_is_shown_until_it_is_done(api: APIClient, run: Run) -> None:
    begin(run)
    shown = api.post(f"/api/v1/runs/{run.pk}/cancel/").json()
    assert (shown["state"], shown["requested_action"]) == ("running", "cancel")


def test_an_action_that_is_not_legal_is_a_conflict(api: APIClient, run: Run) -> None:
    answer = api.post(f"/api/v1/runs/{run.pk}/resume/")
    assert answer.status_code == 409
    assert answer.json() == {
        "code": "illegal_transition",
        "message": "Cannot resume this run: it is queued.",
        "fields": {},
    }


def test_events_are_replayed_from_a_number_in_pages(api: APIClient, run: Run) -> None:
    lease = begin(run)
    for index in range(3):
        services.record_round(lease=lease, report=report(index))
    page = get(api, run, "events/?after=2&limit=2")
    assert [event["seq"] for event in page["events"]] == [3, 4]
    assert (page["last_seq"], page["has_more"]) == (6, True)
    rest = get(api, run, "events/?after=4")
    assert [event["seq"] for event in rest["events"]] == [5, 6]
    assert rest["has_more"] is False
    assert get(api, run, "events/?after=99") == {"events": [], "last_seq": 6, "has_more": False}


@pytest.mark.parametrize("query", ["after=-1", "after=x", "limit=0", "limit=100000", "after=1e3"])
def test_wrong_event_numbers_are_refused(api: APIClient, run: Run, query: str) -> None:
    answer = api.get(f"/api/v1/runs/{run.pk}/events/?{query}")
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [query.split("=", maxsplit=1)[0]]


def test_clients_show_their_data_and_their_part(api: APIClient, run: Run) -> None:
    lease = take(run)
    table = [
        {"client_id": index, "num_samples": 30, "class_counts": [10, 20]} for index in range(3)
    ]
    services.mark_running(lease=lease, executor="sequential", client_table=table)
    scores = [{"client_id": 2, "num_samples": 5, "accuracy": 0.8, "loss": 0.4}]
    scores += [{"client_id": 1, "num_samples": 4, "loss": 0.2, "personal_accuracy": 0.9}]
    services.record_round(lease=lease, report=report(0, scores=scores))
    refused = {**report(1)["clients"][1], "status": "refused", "reason": "not finite"}
    services.record_round(lease=lease, report=report(1, clients=[refused]))
    idle = {"client_id": 2, "num_samples": 30, "class_counts": [10, 20], "rounds": 0}
    rows = get(api, run, "clients/")["clients"]
    assert [row["client_id"] for row in rows] == [0, 1, 2]
    assert {name: rows[2][name] for name in idle} == idle
    assert (rows[2]["test_samples"], rows[2]["test_accuracy"], rows[2]["test_loss"]) == (
        5,
        0.8,
        0.4,
    )
    assert (rows[0]["test_accuracy"], rows[1]["test_accuracy"]) == (None, None)
    assert (rows[1]["personal_accuracy"], rows[2]["personal_accuracy"]) == (0.9, None)
    assert (rows[1]["rounds"], rows[1]["refused"], rows[1]["last_round"]) == (2, 1, 1)
    assert (rows[1]["bytes_up"], rows[1]["last_reason"]) == (1_000, "not finite")
    assert rows[1]["mean_duration_s"] == pytest.approx(0.1)


def test_the_links_between_clients_are_those_of_the_latest_round(api: APIClient, run: Run) -> None:
    lease = take(run)
    table = [{"client_id": index, "num_samples": 30} for index in range(3)]
    services.mark_running(lease=lease, executor="sequential", client_table=table)
    assert get(api, run, "clients/")["links"] == []
    services.record_round(lease=lease, report=report(0, links=[[0, 1], [1, 2]]))
    services.record_round(lease=lease, report=report(1, links=[[0, 2]]))
    assert get(api, run, "clients/")["links"] == [[0, 2]]

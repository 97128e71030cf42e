"""Several runs side by side, small curves, clients by rounds, and the log."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from tests.factories import begin, client_report, make_run, report
from tests.webapp.conftest import signed_in
from webapp.accounts.models import Project, User
from webapp.jobs import services
from webapp.jobs.comparison import differences
from webapp.jobs.models import Run

NUM_ROUNDS = 4


@pytest.fixture
def trained(editor: User, project: Project) -> Run:
    """A run with four rounds, whose second client is refused in the last one."""
    run = make_run(editor, project, name="trained", rounds=9)
    lease = begin(run)
    for index in range(NUM_ROUNDS):
        refused = {"status": "refused", "reason": "not finite", "loss": None}
        last = index == NUM_ROUNDS - 1
        clients = [client_report(0), client_report(1, **(refused if last else {}))]
        scores = [{"client_id": 0, "num_samples": 5, "accuracy": 0.1 * index, "loss": 1.0}]
        services.record_round(lease=lease, report=report(index, clients=clients, scores=scores))
    services.log_message(lease=lease, level="error", message="The disk is nearly full")
    run.refresh_from_db()
    return run


def compare(api: APIClient, *ids: Any, **query: Any) -> Any:
    return api.get("/api/v1/compare/", {"runs": ",".join(str(i) for i in ids), **query})


def test_curves_say_what_had_been_spent(api: APIClient, trained: Run) -> None:
    curve = compare(api, trained.pk).json()["runs"][0]["curve"]
    assert curve["round"] == [0, 1, 2, 3]
    assert curve["bytes"] == [3_000, 6_000, 9_000, 12_000]
    assert curve["seconds"] == [0.25, 0.5, 0.75, 1.0]
    assert curve["sim_seconds"] == [3.0, 6.0, 9.0, 12.0]
    assert curve["metrics"]["accuracy"] == [0.5, 0.51, 0.52, 0.53]


def test_thinning_keeps_what_had_been_spent(api: APIClient, editor: User, project: Project) -> None:
    run = make_run(editor, project, rounds=40)
    lease = begin(run)
    for index in range(40):
        services.record_round(lease=lease, report=report(index))
    curve = compare(api, run.pk, max_points=10).json()["runs"][0]["curve"]
    assert curve["total"] == 40
    assert len(curve["round"]) <= 10
    assert curve["bytes"] == [3_000 * (index + 1) for index in curve["round"]]


def test_runs_come_in_the_order_asked_for_with_what_differs(
    api: APIClient, editor: User, project: Project, trained: Run
) -> None:
    other = make_run(editor, project, rounds=9, algorithm={"kind": "fedprox", "mu": 0.3})
    answer = compare(api, other.pk, trained.pk, other.pk).json()
    assert [entry["run"]["id"] for entry in answer["runs"]] == [str(other.pk), str(trained.pk)]
    found = {row["path"]: row["values"] for row in answer["differences"]}
    assert found["algorithm.kind"] == ["fedprox", "fedavg"]
    assert found["algorithm.mu"] == [0.3, None]
    assert "rounds" not in found


def test_equal_specs_do_not_differ() -> None:
    assert differences([{"a": {"b": [1]}}, {"a": {"b": [1]}}]) == []
    (only,) = differences([{"a": {"b": 1}, "c": 3}, {"a": {"b": 2}, "c": 3}])
    assert (only.path, only.values) == ("a.b", [1, 2])


@pytest.mark.parametrize("runs", ["", "x", ",".join(str(uuid4()) for _ in range(51))])
def test_what_cannot_be_compared_is_refused_by_field(api: APIClient, runs: str) -> None:
    answer = api.get("/api/v1/compare/", {"runs": runs})
    assert answer.status_code == 400
    assert any(name.startswith("runs") for name in answer.json()["fields"])


def test_one_foreign_run_is_one_run_that_is_not_there(
    trained: Run, stranger: User, editor: User
) -> None:
    assert compare(signed_in(stranger), trained.pk).status_code == 404
    answer = compare(signed_in(editor), trained.pk, uuid4())
    assert answer.status_code == 404


def test_sparklines_are_short_and_of_ones_own_runs(
    api: APIClient, trained: Run, stranger: User
) -> None:
    url = f"/api/v1/runs/sparklines/?metric=accuracy&runs={trained.pk},{uuid4()}"
    lines = api.get(url).json()["lines"]
    assert lines == [{"run": str(trained.pk), "values": [0.5, 0.51, 0.52, 0.53]}]
    assert signed_in(stranger).get(url).json()["lines"] == []


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("loss", {(0, 0): 0.5, (0, 1): 0.5, (3, 0): 0.5}),
        ("refused", {(2, 1): 0.0, (3, 0): 0.0, (3, 1): 1.0}),
        ("participation", {(0, 0): 1.0, (3, 1): 1.0}),
        ("duration", {(1, 1): 0.1}),
        ("accuracy", {(2, 0): 0.2}),
    ],
)
def test_clients_by_rounds(
    api: APIClient, trained: Run, metric: str, expected: dict[tuple[int, int], float]
) -> None:
    table = api.get(f"/api/v1/runs/{trained.pk}/client-rounds/?metric={metric}").json()
    cells = {(column, row): value for column, row, value in table["cells"]}
    for place, value in expected.items():
        assert cells[place] == pytest.approx(value)
    if metric == "loss":
        assert (3, 1) not in cells, "a loss that is not finite is a hole"
    assert table["rounds"] == [0, 1, 2, 3]


def logs(api: APIClient, run: Run, **query: Any) -> Any:
    return api.get(f"/api/v1/runs/{run.pk}/logs/", query).json()


def messages(page: Any) -> list[str]:
    return [line["message"] for line in page["lines"]]


def test_the_log_is_filtered_by_level_client_and_text(api: APIClient, trained: Run) -> None:
    whole = logs(api, trained)
    assert len(whole["lines"]) == trained.last_seq
    assert messages(logs(api, trained, level="error")) == ["The disk is nearly full"]
    refusal = "Round 3: update of client 1 refused: not finite"
    assert messages(logs(api, trained, client="1")) == [refusal]
    assert messages(logs(api, trained, text="ROUND 2 FIN")) == [
        "Round 2 finished: accuracy 0.52, loss 0.3333, seconds 0.25."
    ]


def test_the_log_goes_on_after_a_line(api: APIClient, trained: Run) -> None:
    newest = logs(api, trained, limit=2)
    assert newest["cursor"] == trained.last_seq
    assert messages(newest)[-1] == "The disk is nearly full"
    first = logs(api, trained, after=0, limit=3)
    assert [line["seq"] for line in first["lines"]] == [1, 2, 3]
    assert first["has_more"] is True
    rest = logs(api, trained, after=first["cursor"])
    assert rest["lines"][0]["seq"] == 4
    assert rest["has_more"] is False


def test_the_log_is_downloaded_as_text(api: APIClient, trained: Run) -> None:
    answer = api.get(f"/api/v1/runs/{trained.pk}/logs/?download=true&level=warning")
    assert answer["Content-Type"].startswith("text/plain")
    assert str(trained.pk) in answer["Content-Disposition"]
    lines = answer.getvalue().decode().splitlines()
    assert len(lines) == 2
    assert lines[0].endswith("warning Round 3: update of client 1 refused: not finite")

"""Recording a round: once, in order, by the owner, with everything that belongs to it."""

from __future__ import annotations

import math

import pytest

from tests.factories import begin, client_report, report, take
from webapp.jobs import services
from webapp.jobs.models import Run
from webapp.jobs.services import IllegalTransitionError, RoundGapError


def test_a_round_updates_progress_totals_and_events_together(run: Run) -> None:
    lease = begin(run)
    services.record_round(lease=lease, report=report(0))
    services.record_round(lease=lease, report=report(1))
    run.refresh_from_db()
    assert run.rounds_done == 2
    assert (run.bytes_up, run.bytes_down) == (2_000, 4_000)
    assert (run.seconds, run.sim_seconds) == (0.5, 6.0)
    assert run.latest_metrics == report(1)["metrics"]
    rows = run.events.filter(kind="round_finished").order_by("seq")
    assert [row.data["round"] for row in rows] == [0, 1]
    assert rows[1].data["metrics"] == run.rounds.get(round_index=1).metrics


def test_recording_a_round_again_changes_nothing(run: Run) -> None:
    lease = begin(run)
    services.record_round(lease=lease, report=report(0))
    run.refresh_from_db()
    before = (run.last_seq, run.bytes_up, run.rounds_done)
    services.record_round(lease=lease, report=report(0, bytes_up=7))
    run.refresh_from_db()
    assert (run.last_seq, run.bytes_up, run.rounds_done) == before
    assert run.rounds.count() == 1


def test_a_missing_round_is_refused(run: Run) -> None:
    lease = begin(run)
    with pytest.raises(RoundGapError):
        services.record_round(lease=lease, report=report(1))
    assert not run.rounds.exists()


def test_rounds_are_recorded_only_while_the_run_is_running(run: Run) -> None:
    lease = take(run)
    with pytest.raises(IllegalTransitionError):
        services.record_round(lease=lease, report=report(0))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_metric_that_is_no_number_is_stored_as_null(run: Run, value: float) -> None:
    lease = begin(run)
    metrics = {"accuracy": 0.1, "loss": value}
    clients = [client_report(0, loss=value)]
    services.record_round(lease=lease, report=report(0, metrics=metrics, clients=clients))
    assert run.rounds.get().metrics == {"accuracy": 0.1, "loss": None}
    assert run.rounds.get().clients[0]["loss"] is None


def test_metrics_of_an_earlier_evaluation_stay_until_the_next(run: Run) -> None:
    lease = begin(run)
    services.record_round(lease=lease, report=report(0))
    services.record_round(lease=lease, report=report(1, metrics={"train_loss": 0.3}))
    run.refresh_from_db()
    assert run.latest_metrics == {**report(0)["metrics"], "train_loss": 0.3}


def test_refused_and_failed_clients_are_told_before_their_round(run: Run) -> None:
    lease = begin(run)
    clients = [
        client_report(0),
        client_report(4, status="refused", reason="not finite"),
        client_report(5, status="failed", reason="ValueError: bad batch"),
    ]
    services.record_round(lease=lease, report=report(0, clients=clients))
    told = run.events.order_by("-seq")[:3][::-1]
    assert [event.kind for event in told] == ["client_refused", "log", "round_finished"]
    assert told[0].data == {"round_index": 0, "client_id": 4, "reason": "not finite"}
    assert "client 5 failed: ValueError: bad batch" in told[1].data["message"]


def test_the_time_left_follows_recent_rounds(run: Run) -> None:
    lease = begin(run)
    services.record_round(lease=lease, report=report(0, seconds=10.0))
    services.record_round(lease=lease, report=report(1, seconds=20.0))
    run.refresh_from_db()
    assert run.recent_round_s == pytest.approx(13.0)

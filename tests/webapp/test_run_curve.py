"""The curve of a run: complete while it is short, and thinned without losing a peak."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from tests.factories import begin, report
from webapp.jobs import services
from webapp.jobs.down_sampling import chosen_points
from webapp.jobs.models import Run

number = st.none() | st.floats(allow_nan=False, allow_infinity=False, width=32)
points = st.fixed_dictionaries({"accuracy": number, "loss": number})


@given(st.lists(points, max_size=300), st.integers(min_value=10, max_value=100))
def test_extremes_and_ends_survive_and_the_limit_is_kept(
    series: list[dict[str, float | None]], max_points: int
) -> None:
    kept = chosen_points(series, max_points)
    assert kept == sorted(set(kept))
    assert len(kept) <= max(max_points, 0) or len(series) <= max_points
    if series:
        assert {0, len(series) - 1} <= set(kept)
    for name in ("accuracy", "loss"):
        everything = [row[name] for row in series if row[name] is not None]
        shown = [series[index][name] for index in kept if series[index][name] is not None]
        if everything:
            assert min(shown) == min(everything)  # type: ignore[type-var]
            assert max(shown) == max(everything)  # type: ignore[type-var]


def test_a_short_series_is_kept_whole() -> None:
    assert chosen_points([{"loss": 1.0}] * 10, 10) == list(range(10))


def test_a_series_without_metrics_keeps_its_ends() -> None:
    assert chosen_points([{}] * 50, 10) == [0, 49]


def test_more_metrics_than_fit_keep_to_the_limit() -> None:
    series = [{f"m{n}": float(n * index % 7) for n in range(30)} for index in range(200)]
    assert len(chosen_points(series, 10)) <= 10


@pytest.fixture
def long_run(run: Run) -> Run:
    lease = begin(run)
    for index in range(30):
        services.record_round(lease=lease, report=report(index))
    return run


def curve(api: APIClient, run: Run, query: str = "") -> dict[str, Any]:
    body: dict[str, Any] = api.get(f"/api/v1/runs/{run.pk}/metrics/{query}").json()
    return body


def test_rows_of_the_curve_are_those_of_the_events(api: APIClient, long_run: Run) -> None:
    found = curve(api, long_run)
    assert (found["down_sampled"], found["total"]) == (False, 30)
    events = api.get(f"/api/v1/runs/{long_run.pk}/events/?limit=1000").json()["events"]
    told = [event["data"] for event in events if event["kind"] == "round_finished"]
    assert [row | {"recorded_at": ""} for row in found["rounds"]] == [
        row | {"recorded_at": ""} for row in told
    ]


def test_a_long_curve_is_thinned(api: APIClient, long_run: Run) -> None:
    found = curve(api, long_run, "?max_points=12")
    assert found["down_sampled"] is True
    assert found["total"] == 30
    shown = [row["round"] for row in found["rounds"]]
    assert len(shown) <= 12
    assert (shown[0], shown[-1]) == (0, 29)


def test_a_curve_takes_four_queries(
    api: APIClient, long_run: Run, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(4):  # the role at the door, the run, its tags, its rounds
        curve(api, long_run)


@pytest.mark.parametrize("query", ["?max_points=1", "?max_points=many", "?max_points=1000000"])
def test_a_wrong_number_of_points_is_refused(api: APIClient, run: Run, query: str) -> None:
    assert list(curve(api, run, query)["fields"]) == ["max_points"]


def test_thinned_rows_hold_what_was_spent_since_the_row_before(
    api: APIClient, long_run: Run
) -> None:
    found = curve(api, long_run, "?max_points=10")
    assert found["down_sampled"] is True
    for cost in ("bytes_up", "bytes_down", "seconds", "sim_seconds"):
        whole = sum(row[cost] for row in curve(api, long_run)["rounds"])
        assert sum(row[cost] for row in found["rounds"]) == pytest.approx(whole)

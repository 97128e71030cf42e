"""The list of runs: filters, order, pages, and how many queries it takes."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from tests.factories import begin, make_run, report
from webapp.accounts.models import Project, User
from webapp.jobs import services

URL = "/api/v1/runs/"


def names(answer: Any) -> list[str]:
    return [row["name"] for row in answer.json()["results"]]


@pytest.fixture
def three(editor: User, project: Project) -> list[str]:
    """Three runs in the order in which they were made: running, cancelled, running."""
    running = make_run(editor, project, name="alpha one")
    services.record_round(lease=begin(running), report=report(0, metrics={"accuracy": 0.4}))
    cancelled = make_run(editor, project, name="beta", algorithm={"kind": "fedprox"})
    services.request_cancel(run=cancelled, user=editor)
    best = make_run(editor, project, name="alpha two")
    services.record_round(lease=begin(best), report=report(0, metrics={"accuracy": 0.6}))
    return ["alpha one", "beta", "alpha two"]


def test_the_newest_run_comes_first(api: APIClient, three: list[str]) -> None:
    assert names(api.get(URL)) == three[::-1]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("state=running", ["alpha two", "alpha one"]),
        ("state=queued&state=cancelled", ["beta"]),
        ("search=ALPHA", ["alpha two", "alpha one"]),
        ("search=%25", []),
        ("ordering=name", ["alpha one", "alpha two", "beta"]),
        ("ordering=-name", ["beta", "alpha two", "alpha one"]),
        ("ordering=created_at", ["alpha one", "beta", "alpha two"]),
        ("method=fedprox", ["beta"]),
        ("method=fedprox&method=fedavg", ["alpha two", "beta", "alpha one"]),
        ("method=nothing", []),
        ("dataset=digits&ordering=-accuracy", ["alpha two", "alpha one", "beta"]),
    ],
)
def test_filters_and_orders(
    api: APIClient, three: list[str], query: str, expected: list[str]
) -> None:
    assert names(api.get(f"{URL}?{query}")) == expected


def test_runs_of_one_job(api: APIClient, editor: User, project: Project, three: list[str]) -> None:
    run = make_run(editor, project, name="other")
    assert names(api.get(f"{URL}?job={run.job_id}")) == ["other"]


@pytest.mark.parametrize(
    "ordering",
    ["-created_at", "name", "state", "rounds_done", "method", "-bytes", "accuracy", "-loss"],
)
def test_pages_hold_every_run_once(
    api: APIClient, editor: User, project: Project, ordering: str
) -> None:
    for number in range(7):
        run = make_run(editor, project, name=f"run {number % 2}")
        if number % 3:
            accuracy = {"accuracy": 0.1 * (number % 4)}
            services.record_round(lease=begin(run), report=report(0, metrics=accuracy))
    seen, url = [], f"{URL}?page_size=3&ordering={ordering}"
    while url:
        page = api.get(url).json()
        seen += [row["id"] for row in page["results"]]
        url = page["next"]
    assert len(seen) == len(set(seen)) == 7


def test_rows_have_no_spec_and_everything_else(api: APIClient, three: list[str]) -> None:
    row = api.get(URL).json()["results"][0]
    whole = api.get(f"{URL}{row['id']}/").json()
    assert set(whole) - set(row) == {"spec"}
    assert row == {name: value for name, value in whole.items() if name != "spec"}


@pytest.mark.parametrize("number", [1, 12])
def test_the_number_of_queries_does_not_grow_with_the_runs(
    api: APIClient,
    editor: User,
    project: Project,
    django_assert_num_queries: DjangoAssertNumQueries,
    number: int,
) -> None:
    for index in range(number):
        run = make_run(editor, project)
        if index % 3 == 1:
            services.record_round(lease=begin(run), report=report(0))
    with django_assert_num_queries(5):  # page, its rows, tags, places, workers
        assert len(api.get(URL).json()["results"]) == number


def test_a_page_without_waiting_runs_takes_three_queries(
    api: APIClient,
    editor: User,
    project: Project,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(3):
        begin(make_run(editor, project))
    with django_assert_num_queries(3):  # the page, its tags
        assert len(api.get(URL).json()["results"]) == 3

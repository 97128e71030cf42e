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
    """Three runs in the order in which they were made: running, cancelled, queued."""
    running = make_run(editor, project, name="alpha one")
    begin(running)
    cancelled = make_run(editor, project, name="beta")
    services.request_cancel(run=cancelled, user=editor)
    make_run(editor, project, name="alpha two")
    return ["alpha one", "beta", "alpha two"]


def test_the_newest_run_comes_first(api: APIClient, three: list[str]) -> None:
    assert names(api.get(URL)) == three[::-1]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("state=running", ["alpha one"]),
        ("state=running&state=cancelled", ["beta", "alpha one"]),
        ("search=ALPHA", ["alpha two", "alpha one"]),
        ("search=%25", []),
        ("ordering=name", ["alpha one", "alpha two", "beta"]),
        ("ordering=-name", ["beta", "alpha two", "alpha one"]),
        ("ordering=created_at", ["alpha one", "beta", "alpha two"]),
    ],
)
def test_filters_and_orders(
    api: APIClient, three: list[str], query: str, expected: list[str]
) -> None:
    assert names(api.get(f"{URL}?{query}")) == expected


def test_runs_of_one_job(api: APIClient, editor: User, project: Project, three: list[str]) -> None:
    run = make_run(editor, project, name="other")
    assert names(api.get(f"{URL}?job={run.job_id}")) == ["other"]


@pytest.mark.parametrize("ordering", ["-created_at", "name", "state", "rounds_done"])
def test_pages_hold_every_run_once(
    api: APIClient, editor: User, project: Project, ordering: str
) -> None:
    for number in range(7):
        make_run(editor, project, name=f"run {number % 2}")
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
    with django_assert_num_queries(3):  # the page, the places in the queue, any live worker
        assert len(api.get(URL).json()["results"]) == number


def test_a_page_without_waiting_runs_takes_one_query(
    api: APIClient,
    editor: User,
    project: Project,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(3):
        begin(make_run(editor, project))
    with django_assert_num_queries(1):
        assert len(api.get(URL).json()["results"]) == 3

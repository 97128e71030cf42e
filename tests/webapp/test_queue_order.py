"""The order that the database finds: its rules one by one, and beside a plain computation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from tests.factories import make_project, make_user
from webapp.accounts.models import Project, User
from webapp.jobs.models import Job, ProjectShare, Run
from webapp.jobs.queue_order import Place, is_still_first, next_in, places_of
from webapp.jobs.selectors import queue_places
from webapp.jobs.states import RunState

pytestmark = pytest.mark.django_db

START = datetime(2030, 1, 1, tzinfo=UTC)
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Rows:
    """Makes runs of some projects in whatever state, without the services."""

    user: User = field(default_factory=make_user)
    jobs: dict[UUID, Job] = field(default_factory=dict)

    def project(self, **share: Any) -> Project:
        """Return a new project; with a share if one is described."""
        project = make_project()
        self.jobs[project.pk] = Job.objects.create(
            project=project, name="a job", spec={}, created_by=self.user
        )
        if share:
            ProjectShare.objects.create(project=project, **share)
        return project

    def run(self, project: Project, age_s: int = 0, **columns: Any) -> Run:
        """Return a new run that has waited for some seconds; the columns say if it does not."""
        return Run.objects.create(
            job=self.jobs[project.pk],
            project=project,
            number=Run.objects.count() + 1,
            name="a run",
            spec={},
            digest="0",
            created_by=self.user,
            rounds_total=3,
            queued_at=START - timedelta(seconds=age_s),
            **columns,
        )

    def at_work(self, project: Project, **columns: Any) -> Run:
        """Return a run that a worker holds."""
        return self.run(project, state=RunState.RUNNING, lease_token=uuid4().hex, **columns)


@pytest.fixture
def rows() -> Rows:
    return Rows()


def order(*runs: Run) -> list[int]:
    """Return the positions in ``runs`` in the order in which they are taken."""
    places = places_of(runs)
    return sorted(range(len(runs)), key=lambda number: places[runs[number].pk].position)


def test_within_a_project_the_oldest_run_is_first(rows: Rows) -> None:
    mine = rows.project()
    assert order(rows.run(mine, 1), rows.run(mine, 3), rows.run(mine, 2)) == [1, 2, 0]


def test_within_a_project_priority_comes_before_age(rows: Rows) -> None:
    mine = rows.project()
    low, high = rows.run(mine, 9, priority=-1), rows.run(mine, 1, priority=1)
    assert order(low, high, rows.run(mine, 5)) == [1, 2, 0]


def test_projects_take_turns_however_many_runs_one_of_them_has(rows: Rows) -> None:
    mine = rows.project()
    many = [rows.run(mine, age) for age in (9, 8, 7)]
    assert order(*many, rows.run(rows.project(), 1)) == [0, 3, 1, 2]


def test_priority_does_not_take_turns_from_another_project(rows: Rows) -> None:
    late, other = rows.project(last_taken_at=START), rows.project()
    mine = [rows.run(late, 1, priority=1) for _ in range(2)]
    assert order(*mine, rows.run(other, 1, priority=-1))[0] == 2


def test_the_project_with_fewer_runs_under_way_is_next(rows: Rows) -> None:
    busy, idle = rows.project(), rows.project()
    rows.at_work(busy)
    assert order(rows.run(busy, 9), rows.run(idle, 1)) == [1, 0]


def test_a_round_that_is_with_workers_in_parts_counts_as_under_way(rows: Rows) -> None:
    busy, idle = rows.project(), rows.project()
    rows.run(busy, state=RunState.RUNNING, parts_out=True)
    assert order(rows.run(busy, 9), rows.run(idle, 1)) == [1, 0]


def test_the_project_that_was_served_longer_ago_is_next(rows: Rows) -> None:
    served, never = rows.project(last_taken_at=START), rows.project()
    assert order(rows.run(served, 9), rows.run(never, 1)) == [1, 0]


def test_a_project_at_its_limit_comes_last_and_is_marked(rows: Rows) -> None:
    full, nearly = rows.project(max_running=1), rows.project(max_running=2)
    rows.at_work(full)
    rows.at_work(nearly)
    runs = [rows.run(full, 9), rows.run(nearly, 1), rows.run(nearly, 0)]
    assert order(*runs) == [1, 0, 2]
    places = places_of(runs)
    assert [places[run.pk].is_blocked for run in runs] == [True, False, True]
    assert [places[run.pk].limit for run in runs] == [1, 2, 2]
    assert [place.run_id for place in next_in("cpu", 8)] == [runs[1].pk]


def test_places_take_as_many_queries_for_many_runs_as_for_one(
    rows: Rows, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    mine = rows.project()
    runs = [rows.run(mine, age) for age in range(30)]
    for asked in (runs[:1], runs):
        with django_assert_num_queries(2):
            assert len(queue_places(asked, START)) == len(asked)


def test_nobody_has_a_place_where_nobody_waits(
    rows: Rows, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    held = rows.at_work(rows.project())
    with django_assert_num_queries(0):
        assert queue_places([held], START) == {}


# --- beside a plain computation -------------------------------------------------------------------


def plain_order(waiting: Iterable[Run], default_limit: int | None) -> list[Place]:
    """Return the places of all runs of one queue, worked out step by step."""
    by_project: dict[UUID, list[Run]] = {}
    for run in sorted(waiting, key=lambda run: (-run.priority, run.queued_at, run.pk)):
        by_project.setdefault(run.project_id, []).append(run)
    keyed = []
    for project_id, runs in by_project.items():
        share = ProjectShare.objects.filter(project_id=project_id).first()
        own = share.max_running if share else None
        limit = default_limit if own is None else own
        taken = (share and share.last_taken_at) or NEVER
        for number, run in enumerate(runs, start=under_way(project_id)):
            is_blocked = limit is not None and number >= limit
            key = (is_blocked, number, taken, run.queued_at, run.pk)
            keyed.append((key, run, limit))
    keyed.sort(key=lambda row: row[0])
    return [
        Place(run.pk, run.project_id, position, key[0], limit)
        for position, (key, run, limit) in enumerate(keyed, start=1)
    ]


def under_way(project_id: UUID) -> int:
    runs = Run.objects.filter(project_id=project_id)
    return sum(
        run.lease_token is not None or (run.parts_out and run.state == RunState.RUNNING)
        for run in runs
    )


def fill(rows: Rows, random: Random) -> list[Run]:
    """Return runs of several projects: many wait, with equal ages among them, some do not."""
    shares: list[dict[str, Any]] = [
        {},
        {"max_running": random.randint(1, 4)},
        {"last_taken_at": START - timedelta(seconds=random.randint(0, 2))},
        {"max_running": random.randint(1, 4), "last_taken_at": START},
    ]
    states: list[dict[str, Any]] = [
        {"state": RunState.RUNNING},
        {"state": RunState.PAUSED},
        {"state": RunState.SUCCEEDED},
        {"state": RunState.RUNNING, "parts_out": True},
        {"state": RunState.STARTING, "lease_token": uuid4().hex},
        {"state": RunState.RUNNING, "lease_token": uuid4().hex},
    ]
    projects = [rows.project(**random.choice(shares)) for _ in range(random.randint(1, 6))]
    made = []
    for _ in range(random.randint(1, 40)):
        columns: dict[str, Any] = random.choice([{}, {}, random.choice(states)])
        made.append(
            rows.run(
                random.choice(projects),
                random.randint(0, 5),
                queue=random.choice(["cpu", "cpu", "gpu"]),
                priority=random.randint(-1, 1),
                **columns,
            )
        )
    return made


def waiting_in(runs: Iterable[Run], queue: str) -> list[Run]:
    return [run for run in runs if run.is_waiting and run.queue == queue]


@pytest.fixture(params=range(25))
def drawn(request: pytest.FixtureRequest, rows: Rows, settings: Settings) -> list[Run]:
    """Runs as one draw of many puts them, and a limit of the installation's or none."""
    random = Random(request.param)  # noqa: S311 (of rows, not of secrets)
    settings.MAX_RUNNING = random.choice([None, 1, 3])
    return fill(rows, random)


def test_places_are_those_of_the_plain_computation(drawn: list[Run], settings: Settings) -> None:
    plain = {
        queue: plain_order(waiting_in(drawn, queue), settings.MAX_RUNNING)
        for queue in ("cpu", "gpu")
    }
    expected = {place.run_id: place for places in plain.values() for place in places}
    assert places_of(drawn) == expected
    some = drawn[::2]
    assert places_of(some) == {run.pk: expected[run.pk] for run in some if run.pk in expected}
    for queue, places in plain.items():
        free = [place for place in places if not place.is_blocked]
        assert next_in(queue, 3) == free[:3]


def test_who_is_next_after_a_turn_is_that_of_the_plain_computation(
    drawn: list[Run], settings: Settings
) -> None:
    for run in drawn:
        if run.lease_token is None:
            continue
        is_first = is_still_first(run, START)
        # What the database was asked: as if the worker had let go of the run now.
        token, queued_at = run.lease_token, run.queued_at
        run.lease_token, run.queued_at = None, START
        run.save()
        first = plain_order(waiting_in(drawn, run.queue), settings.MAX_RUNNING)[0]
        assert is_first == (first.run_id == run.pk or first.is_blocked)
        run.lease_token, run.queued_at = token, queued_at
        run.save()

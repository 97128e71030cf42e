"""No update of a site is lost or counted twice, whatever happens and in whatever order."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any
from uuid import UUID

import pytest
from django.core.files.storage import default_storage
from django.db import connection, connections

from fedcore.sites import routes
from tests.workers.flights_in_process import Begin, clients_of, disturbed, fedbuff, time_out
from tests.workers.sites_in_process import FIVE, SECTIONS, Server, Site
from webapp.jobs.models import Run
from webapp.jobs.states import RunState
from webapp.sites import services
from webapp.sites.models import SiteRound, SiteTask


def course(run: Run, sites: list[Site], after: Callable[[], None]) -> list[Any]:
    """Let the sites answer in a fixed order; return what became of each round."""
    north, south, east = sites
    order = [north, south, north, east, south, north, east, south, east, north, south, east]
    for site in order * 2:
        site.look()
        after()
    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED, run.failure
    rounds = run.rounds.order_by("round_index")
    return [
        (each.metrics, [(c["client_id"], c["status"]) for c in each.clients]) for each in rounds
    ]


@pytest.mark.parametrize("restart", ["immediate", "at_aggregation"])
def test_nothing_is_lost_or_counted_twice_when_workers_are_killed(
    begin: Begin, server: Server, restart: str
) -> None:
    run, sites = begin(fedbuff(2, restart), rounds=4)
    expected = course(run, sites, server.work)
    again, sites = begin(fedbuff(2, restart), rounds=4)
    assert course(again, sites, lambda: disturbed(again, server)) == expected
    assert len(expected) == 4
    used = [client for _, clients in expected for client, status in clients if status == "ok"]
    assert len(used) == 8


def test_a_round_is_read_as_it_is_at_one_moment(begin: Begin, server: Server) -> None:
    run, (north, south, _) = begin(fedbuff(2))
    north.look()
    server.work()
    answered: list[Future[bool]] = []

    def answer() -> bool:
        try:
            return south.look()
        finally:
            connections.close_all()

    def meanwhile(execute: Any, sql: str, *rest: Any) -> Any:
        found = execute(sql, *rest)
        if "landed" in sql and not answered:
            answered.append(pool.submit(answer))
        elif "sites_sitetask" in sql:
            wait(answered, timeout=0.3)  # it must not be there before all is read
        return found

    with ThreadPoolExecutor(1) as pool:
        with connection.execute_wrapper(meanwhile):
            found = services.find_round(run.pk, 0)
        assert answered[0].result(timeout=30)
    assert found is not None
    assert found.landed == (0,)
    assert not found.is_answered
    server.work()
    opened = SiteRound.objects.get(run=run)
    assert (opened.stage, opened.landed) == ("evaluate", [0, 1])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "algorithm", [fedbuff(2), fedbuff(2, "immediate"), {"kind": "async-fedavg"}]
)
def test_whatever_happens_in_whatever_order_each_update_counts_once(
    begin: Begin, server: Server, algorithm: dict[str, Any], seed: int
) -> None:
    drawn = random.Random(seed)  # noqa: S311
    buffered = algorithm["kind"] == "fedbuff"
    run, sites = begin(
        algorithm,
        rounds=8,
        partition={"kind": "sites", "clients": 5},
        sampling={"kind": "random", "count": 3} if buffered else {"kind": "full"},
        runtime={**SECTIONS["runtime"], "sites": list(FIVE), "min_updates": 1},
        evaluation={"every": 3},
    )
    actions: list[tuple[int, Callable[[], object]]] = [
        (10, lambda: drawn.choice(sites).look()),
        (2, lambda: fail(drawn.choice(sites), can_retry=drawn.random() < 0.5)),
        (1, lambda: time_out(run, drawn.randrange(5))),
        (6, server.work),
        (2, server.upkeep),
        (3, lambda: disturbed(run, server)),
    ]
    weights = [weight for weight, _ in actions]
    for _ in range(1000):
        (act,) = drawn.choices([action for _, action in actions], weights)
        act()
        run.refresh_from_db()
        if run.is_final:
            break
    assert run.state == RunState.SUCCEEDED, run.failure
    used = [client for n in range(8) for client, status in clients_of(run, n) if status == "ok"]
    for client in range(5):
        made = SiteTask.objects.filter(run=run, client_id=client, kind="train", state="done")
        # What comes after the last step is of no use.
        assert used.count(client) <= made.count() <= used.count(client) + 1
    assert not default_storage.listdir(f"runs/{run.pk}/parts")[1]


def fail(site: Site, *, can_retry: bool) -> None:
    for task in site.agent.tasks():
        failure = {"code": "out_of_memory", "message": "Too much.", "can_retry": can_retry}
        answer = site.agent.post(routes.fail(UUID(task["task_id"])), failure)
        assert answer.status_code == 204, answer.content

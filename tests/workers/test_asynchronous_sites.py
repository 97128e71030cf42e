"""Real sites whose server does not wait for all of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from fedcore.sites import routes
from fedcore.spec import RunSpec
from tests.webapp.conftest import signed_in
from tests.webapp.site_agents import API
from tests.workers.flights_in_process import (
    Begin,
    clients_of,
    disturbed,
    fedbuff,
    one_round,
    time_out,
)
from tests.workers.sites_in_process import (
    SECTIONS,
    Server,
    expire,
    play_to_the_end,
    reasons,
    simulated,
    told,
)
from webapp.accounts.models import User
from webapp.jobs import services as job_services
from webapp.jobs.states import RunState
from webapp.sites.models import Site as SiteRow
from webapp.sites.models import SiteRound, SiteTask


def test_a_buffer_for_all_sites_is_uniform_fedavg(begin: Begin, server: Server) -> None:
    run, sites = begin(fedbuff(3))
    run = play_to_the_end(run, server, sites)
    assert run.state == RunState.SUCCEEDED, run.failure
    uniform = {"aggregation": {"kind": "mean", "weighting": "uniform"}}
    expected = simulated(RunSpec.parse({**SECTIONS, **uniform}))
    assert run.rounds.get(round_index=2).metrics == pytest.approx(dict(expected.metrics), abs=1e-12)
    assert (run.bytes_up, run.bytes_down) == (
        expected.totals.bytes_up,
        expected.totals.bytes_down,
    )
    assert not default_storage.listdir(f"runs/{run.pk}/parts")[1]


def test_a_slow_site_keeps_its_task_and_its_update_counts_a_version_later(
    begin: Begin, server: Server
) -> None:
    run, (north, south, east) = begin(fedbuff(2))
    (slow,) = east.agent.tasks()
    one_round(server, north, south)
    run.refresh_from_db()
    assert run.rounds_done == 1
    assert clients_of(run, 0) == [(0, "ok"), (1, "ok")]
    assert [task["task_id"] for task in east.agent.tasks()] == [slow["task_id"]]
    assert [task["round_index"] for task in north.agent.tasks()] == [1]
    shown = signed_in(run.created_by).get(f"{API}runs/{run.pk}/sites/").json()
    assert shown[2]["task"]["round_index"] == 0
    east.look()
    one_round(server, north)  # fills the buffer
    east.look()
    server.work()
    assert clients_of(run, 1) == [(0, "ok"), (2, "ok")]
    assert [task["round_index"] for task in east.agent.tasks()] == [2]
    run = play_to_the_end(run, server, [north, south, east])
    assert run.state == RunState.SUCCEEDED, run.failure
    assert clients_of(run, 2) == [(0, "ok"), (1, "ok")]
    assert not default_storage.listdir(f"runs/{run.pk}/parts")[1]


def test_a_site_that_delivers_a_stale_update_begins_at_once(begin: Begin, server: Server) -> None:
    run, (north, south, east) = begin({"kind": "fedbuff", "buffer": 2})
    one_round(server, north, south)
    east.look()
    server.work()
    run.refresh_from_db()
    assert (run.rounds_done, run.parts_out) == (1, True), "one update does not fill the buffer"
    assert [task["round_index"] for task in east.agent.tasks()] == [1]
    disturbed(run, server)
    assert [task["round_index"] for task in east.agent.tasks()] == [1], "it is asked once"
    east.look()
    server.work()
    run.refresh_from_db()
    assert run.rounds_done == 1, "what it has begun early is for the next step"
    assert east.agent.tasks() == []
    one_round(server, north)
    assert clients_of(run, 1) == [(0, "ok"), (2, "ok")]
    south.look()
    run = play_to_the_end(run, server, [north, south, east])
    assert run.state == RunState.SUCCEEDED, run.failure
    assert clients_of(run, 2) == [(1, "ok"), (2, "ok")], "what came of its early beginning counts"
    assert not default_storage.listdir(f"runs/{run.pk}/parts")[1]


def test_the_place_of_a_site_is_taken_by_one_that_has_nothing_to_do(
    begin: Begin, server: Server
) -> None:
    run, sites = begin(fedbuff(2, "immediate"), sampling={"kind": "random", "count": 2})
    asked = [site for site in sites if site.agent.tasks()]
    (idle,) = (site for site in sites if site not in asked)
    asked[0].look()
    server.work()
    assert [task["round_index"] for task in idle.agent.tasks()] == [0]
    asked[1].look()
    server.work()
    assert idle.agent.tasks()[0]["kind"] == "train", "it is at work, so it does not test"
    run = play_to_the_end(run, server, sites)
    assert run.state == RunState.SUCCEEDED, run.failure


def test_the_last_model_is_tested_by_all_and_nobody_trains_on(begin: Begin, server: Server) -> None:
    run, (north, south, east) = begin(fedbuff(2), rounds=1)
    (slow,) = east.agent.tasks()
    north.look()
    south.look()
    server.work()
    assert [task["kind"] for task in east.agent.tasks()] == ["evaluate"]
    left = SiteTask.objects.get(pk=slow["task_id"])
    assert (left.state, left.reason) == ("dropped", "The run has made its last step.")
    run = play_to_the_end(run, server, [north, south, east])
    assert run.state == RunState.SUCCEEDED


def test_an_update_that_comes_during_the_test_is_for_the_next_round(
    begin: Begin, server: Server
) -> None:
    run, (north, south, east) = begin(fedbuff(2))
    north.look()
    south.look()
    server.work()
    east.look()
    server.work()
    server.engines.drop(run.pk)
    north.look()
    south.look()
    server.work()
    assert clients_of(run, 0) == [(0, "ok"), (1, "ok")]
    one_round(server, south)
    run.refresh_from_db()
    east.look()
    server.work()
    assert clients_of(run, 1) == [(1, "ok"), (2, "ok")]


def test_a_buffer_that_is_full_when_its_round_begins_is_used_at_once(
    begin: Begin, server: Server
) -> None:
    run, (north, south, east) = begin(
        {"kind": "async-fedavg"},
        rounds=3,
        runtime={**SECTIONS["runtime"], "min_updates": 1},
        evaluation={"every": 3},
    )
    for site in (north, south, east):
        site.look()
    server.work()
    assert [clients_of(run, n) for n in (0, 1)] == [[(0, "ok")], [(1, "ok")]]
    run = play_to_the_end(run, server, [north, south, east])
    assert run.state == RunState.SUCCEEDED, run.failure
    assert clients_of(run, 2) == [(2, "ok")]


def test_a_site_that_vanishes_is_let_go_when_its_time_is_up_and_asked_when_it_is_back(
    begin: Begin, server: Server
) -> None:
    run, (north, south, east) = begin(fedbuff(2), rounds=4)
    (left,) = east.agent.tasks()
    SiteRow.objects.filter(pk=east.agent.site_id).update(
        last_seen_at=timezone.now() - timedelta(hours=1)
    )
    one_round(server, north, south)
    server.upkeep()
    assert told(run)[-1] == ("east", "lost")
    time_out(run, 2)
    server.upkeep()
    assert told(run)[-1] == ("east", "late")
    assert reasons(run, "late") == ["Nothing came within 60 s; it is offline."]
    one_round(server, north, south)
    assert clients_of(run, 1) == [(0, "ok"), (1, "ok"), (2, "late")]
    east.agent.beat()
    answer = east.agent.post(routes.accept(left["task_id"]))
    assert answer.json()["code"] == "task_not_wanted"
    one_round(server, north, south, east)
    assert [task["round_index"] for task in east.agent.tasks()] == [3]
    run = play_to_the_end(run, server, [east, north, south])
    assert run.state == RunState.SUCCEEDED, run.failure
    assert (2, "ok") in clients_of(run, 3)


def test_a_buffer_that_cannot_be_filled_takes_what_is_there_if_that_is_enough(
    begin: Begin, server: Server, admin: User
) -> None:
    run, (north, south, east) = begin(fedbuff(3), rounds=2)
    north.look()
    south.look()
    server.work()
    path = f"{API}sites/{east.agent.site_id}/revoke/"
    assert signed_in(admin).post(path, {"reason": "left"}).status_code == 200
    server.work()
    run = play_to_the_end(run, server, [north, south])
    assert run.state == RunState.SUCCEEDED, run.failure
    assert clients_of(run, 0) == [(0, "ok"), (1, "ok"), (2, "lost")]


def test_too_few_updates_fail_the_run_and_a_retry_goes_on_with_the_same_versions(
    begin: Begin, server: Server
) -> None:
    run, (north, south, east) = begin(fedbuff(2), rounds=3)
    one_round(server, north, south)
    for client in range(3):
        time_out(run, client)
    server.upkeep()
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert run.failure is not None
    assert run.failure["code"] == "too_few_updates"
    job_services.request_retry(run=run, user=run.created_by)
    server.work()
    (again,) = east.agent.tasks()
    assert (again["round_index"], again["attempt"]) == (0, 2)
    assert [task["round_index"] for task in north.agent.tasks()] == [1]
    run = play_to_the_end(run, server, [east, north, south])
    assert run.state == RunState.SUCCEEDED, run.failure
    assert (2, "ok") in clients_of(run, 1)


def test_a_pause_keeps_the_sites_that_are_at_work(begin: Begin, server: Server) -> None:
    run, (north, south, east) = begin(fedbuff(2))
    one_round(server, north, south)
    (before,) = east.agent.tasks()
    job_services.request_pause(run=run, user=run.created_by)
    assert east.agent.tasks() == []
    run.refresh_from_db()
    job_services.request_resume(run=run, user=run.created_by)
    server.work()
    assert [task["task_id"] for task in east.agent.tasks()] == [before["task_id"]]
    assert play_to_the_end(run, server, [north, south, east]).state == RunState.SUCCEEDED


def test_a_cancelled_run_forgets_what_sites_are_at_and_what_was_not_used(
    begin: Begin, server: Server
) -> None:
    run, (north, south, east) = begin(fedbuff(2))
    (left,) = east.agent.tasks()
    one_round(server, north, south)
    north.look()
    job_services.request_cancel(run=run, user=run.created_by)
    server.work()
    server.upkeep()
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED
    answer = east.agent.post(routes.accept(left["task_id"]))
    assert answer.json()["code"] == "task_not_wanted"
    assert not default_storage.listdir(f"runs/{run.pk}/parts")[1]
    assert not SiteTask.objects.filter(run=run).exclude(message_key="", key="").exists()


def test_a_run_that_meets_its_target_lets_go_of_whoever_trains(
    begin: Begin, server: Server
) -> None:
    target = {"metric": "accuracy", "value": 0.01}
    run, (north, south, east) = begin(fedbuff(2), evaluation={"every": 1, "target": target})
    one_round(server, north, south)
    run.refresh_from_db()
    assert (run.state, run.rounds_done) == (RunState.SUCCEEDED, 1)
    assert SiteTask.objects.get(site=east.agent.site_id).state == "dropped"
    assert east.agent.tasks() == []
    assert not default_storage.listdir(f"runs/{run.pk}/parts")[1]


def test_fedfix_steps_at_its_ticks_with_whatever_is_there(begin: Begin, server: Server) -> None:
    run, (north, south, east) = begin(
        {"kind": "fedfix", "tick": 0.5},
        rounds=4,
        runtime={**SECTIONS["runtime"], "min_updates": 1},
        evaluation={"every": 10},
    )
    opened = SiteRound.objects.get(run=run)
    assert opened.deadline_at - opened.stage_opened_at == timedelta(seconds=30)
    north.look()
    south.look()
    server.work()
    server.upkeep()
    run.refresh_from_db()
    assert run.rounds_done == 0, "two of three have answered, and it is not time yet"
    expire(run)
    server.upkeep()
    assert clients_of(run, 0) == [(0, "ok"), (1, "ok")]
    expire(run)
    server.upkeep()
    assert clients_of(run, 1) == []  # time has passed, and the model is as it was
    east.look()
    expire(run)
    server.upkeep()
    assert clients_of(run, 2) == [(2, "ok")]
    expire(run)
    server.upkeep()  # the last step, and the test
    run = play_to_the_end(run, server, [north, south, east])
    assert run.state == RunState.SUCCEEDED, run.failure

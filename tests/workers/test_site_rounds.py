"""Rounds on real sites, with the real engine and the real answers of the server."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from fedcore.errors import PermanentError
from fedcore.sites import routes
from fedcore.spec import RunSpec
from tests.factories import make_run
from tests.webapp.conftest import signed_in
from tests.webapp.site_agents import API
from tests.workers.sites_in_process import (
    NAMES,
    SECTIONS,
    Server,
    Site,
    expire,
    play_to_the_end,
    reasons,
    simulated,
    told,
)
from webapp.accounts.models import Project, User
from webapp.artifacts.models import Artifact
from webapp.artifacts.services import store_part
from webapp.jobs import services as job_services
from webapp.jobs.clock import database_now
from webapp.jobs.models import Run, RunEvent
from webapp.jobs.states import RunState
from webapp.sites.models import Site as SiteRow
from webapp.sites.models import SiteRound, SiteTask


def test_a_run_on_sites_comes_to_what_its_simulation_does(
    run: Run, server: Server, sites: list[Site]
) -> None:
    run = play_to_the_end(run, server, sites)
    assert run.state == RunState.SUCCEEDED, run.failure
    expected = simulated(sites[0].spec)
    last = run.rounds.get(round_index=2)
    assert last.metrics == pytest.approx(dict(expected.metrics), abs=1e-12)
    assert run.bytes_up == expected.totals.bytes_up
    assert [c["status"] for c in last.clients] == ["ok"] * 3
    assert told(run) == [(name, "joined") for name in NAMES]
    assert sites[0].asked == ["train", "evaluate"] * 3
    assert Artifact.objects.filter(run=run, kind="model").exists()
    assert not default_storage.listdir(f"runs/{run.pk}/parts")[1], "all messages are removed"


def test_a_late_site_is_not_waited_for_and_can_come_back(
    run: Run, server: Server, sites: list[Site]
) -> None:
    for site in sites[:2]:
        site.look()
    expire(run)
    server.upkeep()
    assert told(run)[-1] == ("east", "late")
    assert "it had not begun" in reasons(run, "late")[0]
    run = play_to_the_end(run, server, sites)
    assert run.state == RunState.SUCCEEDED
    first = run.rounds.get(round_index=0)
    assert [client["status"] for client in first.clients] == ["ok", "ok", "late"]
    assert first.clients[2]["reason"].startswith("site east: Nothing came within 60 s")
    assert run.rounds.get(round_index=1).participants == 3


def test_too_few_answers_fail_the_run_and_say_who_is_missing_and_why(
    run: Run, server: Server, sites: list[Site]
) -> None:
    sites[0].look()
    expire(run)
    server.upkeep()
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert run.failure is not None
    assert run.failure["code"] == "too_few_updates"
    for name in ("south", "east"):
        assert f"site {name}: Nothing came within 60 s" in run.failure["message"]
    # What a retry starts is a new round, in which all are asked again.
    job_services.request_retry(run=run, user=run.created_by)
    server.work()
    assert play_to_the_end(run, server, sites).state == RunState.SUCCEEDED


def test_a_refusal_names_its_rule_and_the_site_is_asked_no_more(
    run: Run, server: Server, sites: list[Site]
) -> None:
    (task,) = sites[2].agent.tasks()
    said = {"rule": "max_work.rounds", "message": "At most 2 rounds.", "fix": "Set rounds: 2."}
    assert sites[2].agent.post(routes.refuse(UUID(task["task_id"])), said).status_code == 204
    run = play_to_the_end(run, server, sites[:2])
    assert run.state == RunState.SUCCEEDED
    assert reasons(run, "refused") == ["Rule max_work.rounds: At most 2 rounds. Set rounds: 2."]
    first = run.rounds.get(round_index=0).clients[2]
    assert first["status"] == "refused"
    assert "max_work.rounds" in first["reason"]
    assert [c["client_id"] for c in run.rounds.get(round_index=1).clients] == [0, 1]
    assert sites[2].agent.tasks() == []


def test_when_enough_refuse_the_run_fails_at_once(
    run: Run, server: Server, sites: list[Site]
) -> None:
    for site in sites[1:]:
        (task,) = site.agent.tasks()
        said = {"rule": "methods", "message": "Not this method."}
        site.agent.post(routes.refuse(UUID(task["task_id"])), said)
    sites[0].look()
    server.work()
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert run.failure is not None
    assert "the site refused by rule methods: Not this method." in run.failure["message"]


def test_a_site_that_is_revoked_in_the_middle_is_out_at_once(
    run: Run, server: Server, sites: list[Site], admin: User
) -> None:
    (task,) = sites[1].agent.tasks()
    sites[1].agent.post(routes.accept(UUID(task["task_id"])))
    path = f"{API}sites/{sites[1].agent.site_id}/revoke/"
    assert signed_in(admin).post(path, {"reason": "left the study"}).status_code == 200
    late = sites[1].agent.put(UUID(task["task_id"]), 0, b"x" * 100)
    assert late.json()["code"] == "site_revoked"
    run = play_to_the_end(run, server, [sites[0], sites[2]])
    assert run.state == RunState.SUCCEEDED
    assert ("south", "revoked") in told(run)
    assert reasons(run, "revoked") == ["It was revoked: left the study"]
    first = run.rounds.get(round_index=0).clients[1]
    assert (first["status"], "left the study" in first["reason"]) == ("lost", True)


def test_what_fails_for_a_moment_is_tried_again_three_times(
    run: Run, server: Server, sites: list[Site]
) -> None:
    said = {"code": "storage_failed", "message": "The disk is full.", "can_retry": True}
    for attempt in (1, 2, 3):
        (task,) = sites[0].agent.tasks()
        assert task["attempt"] == attempt
        sites[0].agent.post(routes.fail(UUID(task["task_id"])), said)
    assert sites[0].agent.tasks() == []
    run = play_to_the_end(run, server, sites)
    assert run.state == RunState.SUCCEEDED
    assert run.rounds.get(round_index=0).clients[0]["status"] == "failed"
    assert run.rounds.get(round_index=1).participants == 3


def test_silence_and_return_are_told_once(run: Run, server: Server, sites: list[Site]) -> None:
    SiteRow.objects.filter(pk=sites[1].agent.site_id).update(
        last_seen_at=timezone.now() - timedelta(hours=1)
    )
    server.upkeep()
    server.upkeep()
    assert told(run) == [("south", "lost")]
    sites[1].agent.beat()
    sites[1].agent.beat()
    assert told(run) == [("south", "lost"), ("south", "returned")]


def test_a_site_that_is_offline_is_asked_when_it_is_back(
    run: Run, server: Server, sites: list[Site]
) -> None:
    SiteRow.objects.filter(pk=sites[2].agent.site_id).update(
        last_seen_at=timezone.now() - timedelta(hours=1)
    )
    for site in sites[:2]:
        site.look()
    expire(run)
    server.upkeep()
    for site in sites[:2]:  # the test
        site.look()
    server.work()
    assert SiteTask.objects.filter(run=run, round_index=1).count() == 2
    sites[2].agent.beat(datasets=[])
    run = play_to_the_end(run, server, sites)
    assert [r.participants for r in run.rounds.order_by("round_index")] == [2, 2, 3]


def test_a_run_is_paused_and_resumed_without_asking_anew(
    run: Run, server: Server, sites: list[Site]
) -> None:
    (before,) = sites[0].agent.tasks()
    job_services.request_pause(run=run, user=run.created_by)
    assert sites[0].agent.tasks() == []
    assert sites[0].agent.beat(tasks=[{"task_id": before["task_id"], "stage": "training"}]).json()[
        "no_longer_wanted"
    ] == [before["task_id"]]
    run.refresh_from_db()
    job_services.request_resume(run=run, user=run.created_by)
    server.work()
    assert [task["task_id"] for task in sites[0].agent.tasks()] == [before["task_id"]]
    assert play_to_the_end(run, server, sites).state == RunState.SUCCEEDED


def test_files_that_no_row_names_go_with_a_run_that_has_failed(
    server: Server, sites: list[Site], admin: User, project: Project, monkeypatch: Any
) -> None:
    def broken(**_: object) -> None:
        raise PermanentError("as if the worker were broken here")

    monkeypatch.setattr("webapp.sites.services.open_stage", broken)
    run = make_run(admin, project, **SECTIONS)
    server.work()
    run.refresh_from_db()
    assert (run.state, len(sites)) == (RunState.FAILED, 3)
    assert not SiteRound.objects.filter(run=run).exists()
    assert not default_storage.listdir(f"runs/{run.pk}/parts")[1]


def test_files_that_no_row_names_go_with_a_run_that_was_cancelled(
    run: Run, server: Server, sites: list[Site]
) -> None:
    assert len(sites) == 3
    store_part(run_id=run.pk, name="as-a-killed-worker-leaves-it", payload=b"-")
    job_services.request_cancel(run=run, user=run.created_by)
    server.upkeep()
    assert not default_storage.listdir(f"runs/{run.pk}/parts")[1]


def test_the_answers_to_a_cancelled_run_are_not_wanted(
    run: Run, server: Server, sites: list[Site]
) -> None:
    (task,) = sites[0].agent.tasks()
    job_services.request_cancel(run=run, user=run.created_by)
    server.work()
    answer = sites[0].agent.post(routes.accept(UUID(task["task_id"])))
    assert (answer.status_code, answer.json()["code"]) == (409, "task_not_wanted")


def test_a_worker_that_dies_while_it_closes_a_round_is_replaced(
    run: Run, server: Server, sites: list[Site]
) -> None:
    for site in sites:
        site.look()
    lease = job_services.acquire_lease(run_id=run.pk, holder="dead:1")
    assert lease is not None
    later = database_now() + timedelta(hours=1)
    job_services.reconcile(now=later)
    run = play_to_the_end(run, server, sites)
    assert run.state == RunState.SUCCEEDED
    assert run.rounds.count() == 3


@pytest.mark.parametrize(
    ("runtime", "dataset", "said"),
    [
        ({"sites": ["north", "south", "mars"]}, {}, "has no site 'mars'"),
        ({}, {"name": "lungs"}, "has declared no data set 'lungs'"),
        ({}, {"target": {"column": "z", "classes": ["a", "b"]}}, "has no column 'z'"),
    ],
)
def test_a_spec_that_sites_do_not_fit_is_refused_when_it_is_launched(
    sites: list[Site], admin: User, runtime: dict[str, Any], dataset: dict[str, Any], said: str
) -> None:
    spec = {
        **SECTIONS,
        "runtime": {**SECTIONS["runtime"], **runtime},
        "dataset": {**SECTIONS["dataset"], **dataset},
    }
    answer = signed_in(admin).post(f"{API}jobs/", {"name": "x", "spec": spec})
    assert answer.status_code == 400
    assert said in str(answer.json()["fields"])


def test_a_run_whose_site_was_revoked_before_it_began_fails_with_its_name(
    server: Server, sites: list[Site], admin: User, project: Project
) -> None:
    run = make_run(admin, project, **SECTIONS)
    SiteRow.objects.filter(name="south").update(state="revoked")
    server.work()
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert run.failure is not None
    assert "The site 'south' is revoked" in run.failure["message"]


def test_the_page_of_a_run_shows_its_sites(run: Run, sites: list[Site], admin: User) -> None:
    sites[0].agent.beat(
        tasks=[
            {
                "task_id": sites[0].agent.tasks()[0]["task_id"],
                "stage": "training",
                "fraction": 0.5,
            }
        ]
    )
    shown = signed_in(admin).get(f"{API}runs/{run.pk}/sites/").json()
    assert [row["name"] for row in shown] == list(NAMES)
    assert shown[0]["presence"] == "online"
    assert (shown[0]["task"]["stage"], shown[0]["task"]["fraction"]) == ("training", 0.5)
    asked = signed_in(admin).get(f"{API}sites/{sites[0].agent.site_id}/tasks/").json()["results"]
    assert [task["kind"] for task in asked] == ["train"]


def test_secret_noise_outlives_the_worker_that_began_the_round(
    server: Server, sites: list[Site], admin: User, project: Project, tmp_path: Path
) -> None:
    private = {
        "dp": {"noise_multiplier": 0.1, "epsilon": None, "clip_norm": 0.5},
    }
    sections = {
        **SECTIONS,
        "rounds": 1,
        "privacy": private,
        "aggregation": {"kind": "mean", "weighting": "uniform"},
    }
    spec = RunSpec.parse(sections)
    trained = [Site(site.agent, site.place, spec, tmp_path) for site in sites]
    run = make_run(admin, project, **sections)
    server.work()
    for site in trained:
        site.look()
    server.engines.drop(run.pk)
    server.work()  # another worker makes the model that is tested
    for site in trained:
        site.look()
    server.engines.drop(run.pk)
    server.work()
    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED, run.failure
    saved = RunEvent.objects.filter(run=run, kind="checkpoint_saved")
    assert [event.data["round_index"] for event in saved] == [0]

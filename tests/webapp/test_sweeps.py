"""Sweeps: which runs they make and when, what is best so far, and how they end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from fedcore.spec import SweepSpec
from fedcore.spec.sweep import Values
from tests.factories import begin, make_job, make_member, make_project, make_sweep, take, train
from tests.webapp.conftest import signed_in
from tests.webapp.simultaneous import at_once
from webapp.accounts.models import Project, User
from webapp.jobs import services
from webapp.jobs.models import Job, Run
from webapp.jobs.services import Trial
from webapp.jobs.states import RunState
from webapp.jobs.sweep_models import Sweep
from webapp.jobs.sweep_results import trials_of

URL = "/api/v1/jobs/"
GRID: dict[str, Any] = {"axes": {"local.lr": [0.1, 0.2, 0.3]}, "parallel": 2}
SEARCH: dict[str, Any] = {
    "search": {
        "trials": 6,
        "parameters": {"local.lr": {"kind": "float", "low": 0.1, "high": 1.0}},
    },
    "parallel": 2,
}


def body(**sweep: Any) -> dict[str, Any]:
    return {"name": "swept", "sweep": {**sweep, "base": {"rounds": 3}}}


def runs(job: Job) -> list[Run]:
    return list(job.runs.order_by("number"))


def advance(job: Job, suggest: Any = None) -> int:
    return services.advance_sweep(job_id=job.pk, suggest=suggest, now=timezone.now())


def sweep_of(api: APIClient, job: Job) -> dict[str, Any]:
    shown: dict[str, Any] = api.get(f"{URL}{job.pk}/sweep/").json()
    return shown


def counting(sweep: SweepSpec, trials: Sequence[Trial]) -> Values:
    """Propose 0.1, 0.2, ... in turn."""
    return {"local.lr": round(0.1 * (len(trials) + 1), 1)}


def test_submitting_a_grid_launches_as_many_runs_as_may_be_under_way(api: APIClient) -> None:
    answer = api.post(URL, body(**GRID))
    assert answer.status_code == 201, answer.json()
    job = answer.json()
    assert (job["sweep_state"], job["sweep"]["runs_total"], job["sweep"]["runs_made"]) == (
        "running",
        3,
        2,
    )
    assert [run["point"]["values"] for run in job["runs"]] == [{"local.lr": 0.2}, {"local.lr": 0.1}]
    assert Run.objects.get(number=2).spec["local"]["lr"] == 0.2
    assert api.get(URL).json()["results"][0]["sweep_state"] == "running"


def test_a_wrong_point_is_refused_by_path_and_nothing_is_made(api: APIClient) -> None:
    answer = api.post(URL, body(axes={"local.lr": [0.1, -1], "nope": [1]}))
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_spec"
    assert sorted(answer.json()["fields"]) == ["sweep.axes.local.lr", "sweep.axes.nope"]
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"name": "x"}, "spec"),
        ({"name": "x", "spec": {}, "sweep": {}}, "spec"),
        ({"name": "x", "sweep": {}, "launch": False}, "launch"),
        ({"name": "x", "spec": {}, "priority": "urgent"}, "priority"),
    ],
)
def test_what_is_neither_a_spec_nor_a_sweep_is_refused(
    api: APIClient, wanted: dict[str, Any], field: str
) -> None:
    answer = api.post(URL, wanted)
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [field]


def test_the_next_run_is_made_when_one_has_ended_and_the_sweep_ends_with_the_last(
    editor: User, project: Project
) -> None:
    job = make_sweep(editor, project, **GRID)
    assert advance(job) == 0
    first, second = runs(job)
    train(first, 0.5, 0.6, 0.7)
    assert advance(job) == 1
    assert advance(job) == 0
    third = runs(job)[2]
    train(second, 0.1, 0.2, 0.3)
    services.request_cancel(run=third, user=editor)
    advance(job)
    job.sweep.refresh_from_db()
    assert (job.sweep.state, job.sweep.runs_made) == ("finished", 3)
    assert job.sweep.finished_at is not None


def test_the_best_is_the_best_mean_of_a_point_whose_seeds_all_succeeded(
    api: APIClient, editor: User, project: Project
) -> None:
    axes = {"local.lr": [0.1, 0.2, 0.3]}
    job = make_sweep(editor, project, axes=axes, seeds=2, parallel=6)
    finals = [0.5, 0.6, 0.9, 0.7, 0.99]
    for run, final in zip(runs(job), finals, strict=False):
        train(run, 0.1, 0.2, final)
    shown = sweep_of(api, job)
    assert shown["best"]["values"] == {"local.lr": 0.2}
    assert shown["best"]["mean"] == pytest.approx(0.8)
    assert shown["best"]["std"] == pytest.approx(0.1414, abs=1e-4)
    assert shown["runs_by_state"] == {"succeeded": 5, "queued": 1}
    assert [run["seed"] for run in shown["points"][0]["runs"]] == [0, 1]


def test_where_less_is_better_the_best_is_the_least(
    api: APIClient, editor: User, project: Project
) -> None:
    job = make_sweep(editor, project, **GRID, metric="loss")
    for run, loss in zip(runs(job), (0.4, 0.2), strict=True):
        train(run, 0.9, 0.8, loss, metric="loss")
    assert sweep_of(api, job)["best"]["values"] == {"local.lr": 0.2}


def test_a_search_is_proposed_by_a_worker_from_the_results_so_far(
    api: APIClient, editor: User, project: Project
) -> None:
    job = make_sweep(editor, project, **SEARCH)
    assert runs(job) == []
    told: list[list[Trial]] = []

    def suggest(sweep: SweepSpec, trials: Sequence[Trial]) -> Values:
        told.append(list(trials))
        return counting(sweep, trials)

    assert advance(job, suggest) == 2
    train(runs(job)[0], 0.5, 0.6, 0.7)
    assert advance(job, suggest) == 1
    assert [(t.values["local.lr"], t.state, t.value) for t in told[-1]] == [
        (0.1, "complete", 0.7),
        (0.2, "running", None),
    ]
    assert [run.spec["local"]["lr"] for run in runs(job)] == [0.1, 0.2, 0.3]


def test_a_proposed_point_that_cannot_be_run_is_left_out_with_its_reason(
    api: APIClient, editor: User, project: Project
) -> None:
    job = make_sweep(editor, project, **SEARCH)

    def suggest(sweep: SweepSpec, trials: Sequence[Trial]) -> Values:
        return {"local.lr": 0.5 if trials else 0}

    advance(job, suggest)
    shown = sweep_of(api, job)
    assert shown["points"][0]["problems"] == ["local.lr: Must be greater than 0. The limit is 0.0."]
    assert shown["points"][0]["runs"] == []
    assert len(runs(job)) == 2


def test_a_run_that_falls_behind_ends_at_its_rung(
    api: APIClient, editor: User, project: Project
) -> None:
    search = {**SEARCH["search"], "prune": {"eta": 3, "min_rounds": 1}}
    job = make_sweep(editor, project, base={"rounds": 5}, search=search, parallel=6)
    advance(job, counting)
    for run in runs(job)[:3]:
        assert train(run, 0.8, 0.8, 0.8, 0.8, 0.8).state == RunState.SUCCEEDED
    bad = train(runs(job)[3], 0.2)
    assert (bad.state, bad.pruned, bad.rounds_done) == (RunState.CANCELLED, True, 1)
    assert "not among the best 1 of 4 runs" in bad.events.get(kind="log").data["message"]
    assert bad.events.order_by("-seq")[0].data["reason"].startswith("Ended early")
    services.request_cancel(run=runs(job)[4], user=editor)
    services.request_cancel(run=runs(job)[5], user=editor)
    told = list_of_trials(job)
    assert [trial.state for trial in told[3:]] == ["pruned", "failed", "failed"]
    assert told[3].rungs == {1: 0.2}
    assert told[0].rungs == {1: 0.8, 3: 0.8}
    assert sweep_of(api, job)["points"][3]["runs"][0]["pruned"] is True


def list_of_trials(job: Job) -> list[Trial]:
    sweep = Sweep.objects.get(pk=job.pk)
    return trials_of(sweep, SweepSpec.model_validate(sweep.document))


def test_a_pruned_run_that_is_retried_trains_to_its_end(editor: User, project: Project) -> None:
    search = {**SEARCH["search"], "trials": 3, "prune": {"eta": 2, "min_rounds": 1}}
    job = make_sweep(editor, project, search=search, parallel=3)
    advance(job, counting)
    good, *_, bad = runs(job)
    train(good, 0.8, 0.8, 0.8)
    bad = train(bad, 0.2)
    assert bad.pruned
    services.request_retry(run=bad, user=editor)
    assert train(bad, 0.2, 0.2).state == RunState.SUCCEEDED


def test_a_sweep_waits_while_the_project_may_have_no_more_runs_waiting(
    editor: User, project: Project, settings: Settings
) -> None:
    settings.MAX_QUEUED = 1
    job = make_sweep(editor, project, **GRID)
    assert len(runs(job)) == 1
    begin(runs(job)[0])
    assert advance(job) == 1


def test_cancelling_a_sweep_cancels_its_runs_and_makes_no_more(
    api: APIClient, editor: User, project: Project
) -> None:
    job = make_sweep(editor, project, **GRID)
    held = runs(job)[0]
    take(held)
    answer = api.post(f"{URL}{job.pk}/sweep/cancel/")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    held.refresh_from_db()
    assert (held.requested_action, runs(job)[1].state) == ("cancel", RunState.CANCELLED)
    assert advance(job) == 0
    assert api.post(f"{URL}{job.pk}/sweep/cancel/").status_code == 409


def test_a_cancelled_sweep_goes_on_with_what_was_stopped_and_what_was_not_made(
    api: APIClient, editor: User, project: Project
) -> None:
    job = make_sweep(editor, project, **GRID)
    services.request_cancel(run=runs(job)[0], user=editor)
    advance(job)
    assert sweep_of(api, job)["allowed_actions"] == ["cancel"]
    api.post(f"{URL}{job.pk}/sweep/cancel/")
    assert sweep_of(api, job)["allowed_actions"] == ["resume"]

    answer = api.post(f"{URL}{job.pk}/sweep/resume/")
    assert (answer.status_code, answer.json()["state"]) == (200, "running")
    # The first had been cancelled by itself.
    assert [run.state for run in runs(job)] == ["cancelled", "queued", "queued"]
    for run in runs(job)[1:]:
        train(run, 0.1, 0.2, 0.3)
    advance(job)
    assert sweep_of(api, job)["state"] == "finished"
    again = api.post(f"{URL}{job.pk}/sweep/resume/")
    assert (again.status_code, again.json()["code"]) == (409, "sweep_not_stopped")


def test_a_sweep_does_not_go_on_while_its_runs_are_still_stopping(
    api: APIClient, editor: User, project: Project
) -> None:
    job = make_sweep(editor, project, **GRID)
    take(runs(job)[0])
    api.post(f"{URL}{job.pk}/sweep/cancel/")
    answer = api.post(f"{URL}{job.pk}/sweep/resume/")
    assert (answer.status_code, answer.json()["code"]) == (409, "sweep_stopping")
    assert sweep_of(api, job)["state"] == "cancelled"


def test_runs_of_a_search_that_goes_on_are_still_compared(editor: User, project: Project) -> None:
    search = {**SEARCH["search"], "prune": {"min_rounds": 1, "eta": 2}}
    job = make_sweep(editor, project, search=search)
    advance(job, counting)
    before = runs(job)[0].next_rung
    assert before == 1
    services.cancel_sweep(job=job, user=editor)
    services.resume_sweep(job=job, user=editor)
    assert runs(job)[0].next_rung == before


def test_sweeps_are_listed_with_their_progress_in_few_queries(
    api: APIClient,
    editor: User,
    stranger: User,
    project: Project,
    django_assert_max_num_queries: Any,
) -> None:
    jobs = [make_sweep(editor, project, **GRID) for _ in range(3)]
    train(runs(jobs[0])[0], 0.1, 0.2, 0.3)
    with django_assert_max_num_queries(6):
        rows = api.get("/api/v1/sweeps/").json()["results"]
    assert [row["job"] for row in rows] == [str(job.pk) for job in reversed(jobs)]
    assert (rows[2]["best"]["mean"], rows[2]["runs_by_state"]) == (
        0.3,
        {"succeeded": 1, "queued": 1},
    )
    assert rows[0]["name"] == jobs[2].name
    assert signed_in(stranger).get("/api/v1/sweeps/").json()["results"] == []


def test_a_run_that_is_retried_opens_its_sweep_again(editor: User, project: Project) -> None:
    job = make_sweep(editor, project, seeds=2, parallel=2)
    for run in runs(job):
        services.request_cancel(run=run, user=editor)
    advance(job)
    assert Sweep.objects.get(pk=job.pk).state == "finished"
    services.request_retry(run=runs(job)[0], user=editor)
    assert Sweep.objects.get(pk=job.pk).state == "running"
    train(runs(job)[0], 0.1, 0.2, 0.3)
    advance(job)
    assert Sweep.objects.get(pk=job.pk).state == "finished"


def test_a_sweep_is_not_launched_twice(api: APIClient, editor: User, project: Project) -> None:
    job = make_sweep(editor, project, **GRID)
    answer = api.post(f"{URL}{job.pk}/runs/")
    assert (answer.status_code, answer.json()["code"]) == (409, "launched_once")


def test_strangers_see_no_sweep_and_viewers_cannot_end_one(
    editor: User, viewer: User, stranger: User, project: Project
) -> None:
    job = make_sweep(editor, project, **GRID)
    assert signed_in(stranger).get(f"{URL}{job.pk}/sweep/").status_code == 404
    assert signed_in(stranger).post(f"{URL}{job.pk}/sweep/cancel/").status_code == 404
    assert signed_in(viewer).get(f"{URL}{job.pk}/sweep/").status_code == 200
    assert signed_in(viewer).post(f"{URL}{job.pk}/sweep/cancel/").status_code == 403
    assert signed_in(viewer).post(URL, body(**GRID)).status_code == 403
    assert Sweep.objects.get(pk=job.pk).state == "running"


def test_a_job_without_a_sweep_says_so(api: APIClient, editor: User, project: Project) -> None:
    job = make_job(editor, project)
    assert api.get(f"{URL}{job.pk}/").json()["sweep"] is None
    assert api.get(f"{URL}{job.pk}/sweep/").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_several_that_advance_a_sweep_at_once_make_each_run_once() -> None:
    project = make_project()
    job = make_sweep(make_member(project), project, **{**SEARCH, "parallel": 6})
    at_once(*[lambda: advance(job, counting)] * 4)
    assert [run.point["index"] for run in runs(job) if run.point] == list(range(6))
    assert Sweep.objects.get(pk=job.pk).runs_made == 6

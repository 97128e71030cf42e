"""Names, notes, tags, favourites and the trash of runs, one at a time and many at once."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from tests.factories import make_member, make_run
from tests.webapp.conftest import signed_in
from webapp.accounts.models import Project, User
from webapp.accounts.roles import Role
from webapp.jobs import services
from webapp.jobs.models import Favourite, Run, SavedView
from webapp.jobs.states import RunState

BULK = "/api/v1/runs/bulk/"


def listed(api: APIClient, query: str = "") -> list[str]:
    return [row["name"] for row in api.get(f"/api/v1/runs/{query}").json()["results"]]


def bulk(api: APIClient, runs: list[Run], action: str, **body: Any) -> Any:
    ids = [str(run.pk) for run in runs]
    return api.post(BULK, {"runs": ids, "action": action, **body}, format="json")


def cancelled(user: User, project: Project, name: str = "ended") -> Run:
    run = make_run(user, project, name=name)
    return services.request_cancel(run=run, user=user)


def test_what_is_written_on_a_run_is_kept(api: APIClient, run: Run) -> None:
    url = f"/api/v1/runs/{run.pk}/"
    wanted = {"name": "better", "notes": "lr was too high", "tags": ["Paper ", "paper", "v2"]}
    answer = api.patch(url, wanted, format="json")
    assert answer.status_code == 200
    assert answer.json()["tags"] == ["paper", "v2"]
    answer = api.patch(url, {"tags": ["v2", "final"]}, format="json").json()
    assert (answer["name"], answer["notes"]) == ("better", "lr was too high")
    assert answer["tags"] == ["final", "v2"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"tags": ["x" * 41]}, "tags.0"),
        ({"tags": [""]}, "tags.0"),
        ({"tags": [f"t{n}" for n in range(13)]}, "tags"),
        ({"is_favourite": "perhaps"}, "is_favourite"),
    ],
)
def test_bad_input_names_its_field(
    api: APIClient, run: Run, body: dict[str, Any], field: str
) -> None:
    answer = api.patch(f"/api/v1/runs/{run.pk}/", body, format="json")
    assert answer.status_code == 400
    assert [name for name in answer.json()["fields"] if name.startswith(field.partition(".")[0])]
    assert not run.tags.exists()


def test_a_favourite_is_of_one_user(run: Run, editor: User, viewer: User) -> None:
    url = f"/api/v1/runs/{run.pk}/"
    assert signed_in(viewer).patch(url, {"is_favourite": True}).json()["is_favourite"] is True
    assert signed_in(editor).get(url).json()["is_favourite"] is False
    assert listed(signed_in(viewer), "?favourite=true") == [run.name]
    assert listed(signed_in(editor), "?favourite=true") == []
    signed_in(viewer).patch(url, {"is_favourite": False})
    assert not Favourite.objects.exists()


def test_a_viewer_stars_but_does_not_write(run: Run, viewer: User) -> None:
    url = f"/api/v1/runs/{run.pk}/"
    answer = signed_in(viewer).patch(url, {"is_favourite": True, "notes": "mine"})
    assert answer.status_code == 403
    assert not Favourite.objects.exists(), "half of a refused change was done"


def test_the_trash_hides_and_gives_back(api: APIClient, editor: User, project: Project) -> None:
    run = cancelled(editor, project)
    assert bulk(api, [run], "trash").json()["done"] == [str(run.pk)]
    assert listed(api) == []
    assert listed(api, "?trash=true") == ["ended"]
    assert api.post(f"/api/v1/runs/{run.pk}/retry/").status_code == 409
    assert bulk(api, [run], "restore").json()["done"] == [str(run.pk)]
    assert listed(api) == ["ended"]


def test_each_run_is_done_or_refused_by_itself(
    api: APIClient, editor: User, project: Project
) -> None:
    ended, waiting = cancelled(editor, project), make_run(editor, project)
    outcome = bulk(api, [ended, waiting, Run(pk=uuid4())], "trash").json()
    assert outcome["done"] == [str(ended.pk)]
    assert [refusal["code"] for refusal in outcome["refused"]] == ["conflict", "not_found"]
    assert "Cancel it before" in outcome["refused"][0]["message"]


def test_failed_clients_of_several_runs_are_tried_again(
    api: APIClient, editor: User, project: Project
) -> None:
    kept, other = make_run(editor, project), make_run(editor, project)
    Run.objects.update(state=RunState.FAILED)
    Run.objects.filter(pk=kept.pk).update(kept_updates={"round_index": 0})
    outcome = bulk(api, [kept, other], "retry-failed").json()
    assert outcome["done"] == [str(kept.pk)]
    assert [refusal["code"] for refusal in outcome["refused"]] == ["nothing_kept"]
    kept.refresh_from_db()
    assert (kept.state, kept.kept_updates) == ("queued", {"round_index": 0})


@pytest.mark.parametrize(
    "action",
    [
        *("pause", "resume", "cancel", "retry", "retry-failed"),
        *("trash", "restore", "star", "tag", "untag"),
    ],
)
def test_bulk_actions_of_a_stranger_reach_nothing(run: Run, stranger: User, action: str) -> None:
    body = {"tag": "x"} if "tag" in action else {}
    outcome = bulk(signed_in(stranger), [run], action, **body).json()
    assert outcome["done"] == []
    assert outcome["refused"][0]["code"] == "not_found"
    run.refresh_from_db()
    assert (run.state, run.trashed_at) == ("queued", None)


@pytest.mark.parametrize(
    "action", ["pause", "cancel", "retry-failed", "trash", "restore", "tag", "untag"]
)
def test_bulk_actions_of_a_viewer_are_refused(run: Run, viewer: User, action: str) -> None:
    body = {"tag": "x"} if "tag" in action else {}
    outcome = bulk(signed_in(viewer), [run], action, **body).json()
    assert outcome["refused"][0]["code"] == "forbidden"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"runs": [], "action": "pause"}, "runs"),
        ({"runs": ["x"], "action": "pause"}, "runs"),
        ({"runs": [str(uuid4())] * 201, "action": "pause"}, "runs"),
        ({"runs": [str(uuid4())], "action": "explode"}, "action"),
        ({"runs": [str(uuid4())], "action": "tag"}, "tag"),
        ({"runs": [str(uuid4())], "action": "pause", "tag": "x"}, "tag"),
    ],
)
def test_a_bulk_action_that_makes_no_sense_is_refused(
    api: APIClient, body: dict[str, Any], field: str
) -> None:
    answer = api.post(BULK, body, format="json")
    assert answer.status_code == 400
    assert any(name.startswith(field) for name in answer.json()["fields"])


def test_tags_are_added_and_taken_away(api: APIClient, editor: User, project: Project) -> None:
    one, two = make_run(editor, project, name="one"), make_run(editor, project, name="two")
    bulk(api, [one, two], "tag", tag="Shared")
    bulk(api, [one, two], "tag", tag="shared")
    bulk(api, [one], "tag", tag="first")
    assert listed(api, "?tag=shared") == ["two", "one"]
    assert listed(api, "?tag=shared&tag=first") == ["one"]
    assert listed(api, "?search=FIRS") == ["one"]
    bulk(api, [one, two], "untag", tag="shared")
    assert listed(api, "?tag=shared") == []


def test_facets_count_the_users_own_runs(
    api: APIClient, editor: User, stranger: User, project: Project
) -> None:
    run = make_run(editor, project, algorithm={"kind": "fedprox", "mu": 0.1})
    services.tag_run(run=run, user=editor, name="x")
    make_run(editor, project)
    services.trash_run(run=cancelled(editor, project), user=editor)
    facets = api.get("/api/v1/runs/facets/").json()
    assert facets["methods"] == [{"value": "fedavg", "count": 1}, {"value": "fedprox", "count": 1}]
    assert facets["datasets"] == [{"value": "digits", "count": 2}]
    assert facets["tags"] == [{"value": "x", "count": 1}]
    assert facets["trashed"] == 1
    assert signed_in(stranger).get("/api/v1/runs/facets/").json()["methods"] == []


def test_saved_views_are_ones_own(api: APIClient, stranger: User, project: Project) -> None:
    body = {"name": "failed ones", "query": "?state=failed"}
    made = api.post("/api/v1/views/", body)
    assert made.status_code == 201
    again = api.post("/api/v1/views/", {**body, "query": "?state=cancelled"}).json()
    assert again["id"] == made.json()["id"]
    assert [view["query"] for view in api.get("/api/v1/views/").json()] == ["?state=cancelled"]
    for other in (stranger, make_member(project, Role.ADMIN)):
        assert signed_in(other).get("/api/v1/views/").json() == []
        assert signed_in(other).delete(f"/api/v1/views/{again['id']}/").status_code == 404
    assert api.delete(f"/api/v1/views/{again['id']}/").status_code == 204
    assert not SavedView.objects.exists()


def test_a_template_is_saved_offered_and_deleted(api: APIClient, viewer: User) -> None:
    body = {"name": "start here", "spec": {"rounds": 3}, "launch": False, "is_template": True}
    job = api.post("/api/v1/jobs/", body, format="json").json()
    api.post("/api/v1/jobs/", {"name": "other", "spec": {}}, format="json")
    templates = api.get("/api/v1/jobs/?is_template=true").json()["results"]
    assert [row["name"] for row in templates] == ["start here"]
    assert signed_in(viewer).delete(f"/api/v1/jobs/{job['id']}/").status_code == 403
    api.post(f"/api/v1/jobs/{job['id']}/runs/")
    assert api.delete(f"/api/v1/jobs/{job['id']}/").status_code == 204
    assert api.get("/api/v1/jobs/?is_template=true").json()["results"] == []
    assert api.get(f"/api/v1/jobs/{job['id']}/").status_code == 200, "its run needs it"
    assert api.delete(f"/api/v1/jobs/{job['id']}/").status_code == 409

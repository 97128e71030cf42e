"""Who may reach what: every route, for nobody, a stranger, a viewer and an editor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.urls import URLPattern
from rest_framework.test import APIClient

from tests.factories import begin, make_job, make_run
from tests.webapp.conftest import signed_in
from webapp import urls
from webapp.accounts.models import Project, User
from webapp.accounts.roles import Permission, Role, allows
from webapp.jobs import services
from webapp.jobs.models import Job, Run

OPEN = {"auth/csrf/", "auth/login/", "health/live/", "health/ready/", "schema/"}
#: Routes that need a user but belong to no project: the user's own things, and what is the same
#: for everybody.
PERSONAL = {
    "auth/logout/",
    "auth/me/",
    "tokens/",
    "tokens/<uuid:token_id>/",
    "projects/",
    "catalogue/",
    "spec/schema/",
    "spec/validate/",
    "workers/",
    "spec/partition/",
    "views/",
    "views/<uuid:view_id>/",
    "intents/",
}
#: Routes about several runs at once; who reaches what is in the tests of each of them.
MANY_RUNS = {"compare/", "runs/bulk/", "runs/facets/", "runs/sparklines/", "sweeps/"}
#: Lists of a user's projects; a stranger's are empty.
LISTS = {"jobs/", "runs/"}


@dataclass(frozen=True)
class Rule:
    """How a route that names a row of a project is used."""

    path: str
    method: str
    permission: Permission
    expected: int


RULES = [
    Rule("jobs/<uuid:job_id>/", "get", Permission.READ, 200),
    Rule("jobs/<uuid:job_id>/runs/", "get", Permission.READ, 200),
    Rule("jobs/<uuid:job_id>/runs/", "post", Permission.WRITE, 201),
    Rule("jobs/<uuid:job_id>/sweep/", "get", Permission.READ, 404),
    Rule("jobs/<uuid:job_id>/sweep/cancel/", "post", Permission.WRITE, 404),
    Rule("jobs/<uuid:job_id>/sweep/resume/", "post", Permission.WRITE, 404),
    Rule("runs/<uuid:run_id>/", "get", Permission.READ, 200),
    Rule("runs/<uuid:run_id>/metrics/", "get", Permission.READ, 200),
    Rule("runs/<uuid:run_id>/clients/", "get", Permission.READ, 200),
    Rule("runs/<uuid:run_id>/", "patch", Permission.READ, 200),
    Rule("runs/<uuid:run_id>/client-rounds/", "get", Permission.READ, 200),
    Rule("runs/<uuid:run_id>/logs/", "get", Permission.READ, 200),
    Rule("jobs/<uuid:job_id>/", "delete", Permission.WRITE, 409),
    Rule("runs/<uuid:run_id>/failures/", "get", Permission.READ, 200),
    Rule("runs/<uuid:run_id>/events/", "get", Permission.READ, 200),
    Rule("runs/<uuid:run_id>/artifacts/", "get", Permission.READ, 200),
    Rule("runs/<uuid:run_id>/model/", "get", Permission.READ, 409),
    Rule("runs/<uuid:run_id>/pause/", "post", Permission.WRITE, 200),
    Rule("runs/<uuid:run_id>/resume/", "post", Permission.WRITE, 409),
    Rule("runs/<uuid:run_id>/cancel/", "post", Permission.WRITE, 200),
    Rule("runs/<uuid:run_id>/retry/", "post", Permission.WRITE, 409),
]
ROUTES = {str(route.pattern) for route in urls.api if isinstance(route, URLPattern)}

each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.method} {rule.path}")


def test_every_route_has_a_rule() -> None:
    assert {rule.path for rule in RULES} | OPEN | PERSONAL | LISTS | MANY_RUNS == ROUTES


def ask(api: APIClient, rule: Rule, run: Run) -> Any:
    path = rule.path.replace("<uuid:run_id>", str(run.pk))
    path = path.replace("<uuid:job_id>", str(run.job_id))
    return getattr(api, rule.method)(f"/api/v1/{path}")


@each_rule
def test_nobody_gets_in_without_signing_in(run: Run, rule: Rule) -> None:
    answer = ask(APIClient(), rule, run)
    assert answer.status_code == 401
    assert answer.json()["code"] == "not_authenticated"


@each_rule
def test_to_a_stranger_there_is_nothing(run: Run, stranger: User, rule: Rule) -> None:
    answer = ask(signed_in(stranger), rule, run)
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"
    run.refresh_from_db()
    assert run.state == "queued"


@each_rule
def test_a_superuser_is_a_stranger_too(run: Run, stranger: User, rule: Rule) -> None:
    stranger.is_superuser = True
    stranger.save()
    assert ask(signed_in(stranger), rule, run).status_code == 404


@each_rule
def test_a_stranger_cannot_tell_a_row_from_no_row(run: Run, stranger: User, rule: Rule) -> None:
    api = signed_in(stranger)
    there = ask(api, rule, run)
    absent = Run(pk=uuid4(), job=Job(pk=uuid4()))
    assert there.json() == ask(api, rule, absent).json()


@each_rule
def test_a_viewer_may_read_and_nothing_else(run: Run, viewer: User, rule: Rule) -> None:
    answer = ask(signed_in(viewer), rule, run)
    if allows(Role.VIEWER, rule.permission):
        assert answer.status_code == rule.expected
    else:
        assert answer.status_code == 403
        assert answer.json()["code"] == "forbidden"


@each_rule
def test_an_editor_may_do_what_the_run_allows(run: Run, editor: User, rule: Rule) -> None:
    assert ask(signed_in(editor), rule, run).status_code == rule.expected


@pytest.mark.parametrize("path", sorted(PERSONAL | LISTS | MANY_RUNS))
def test_personal_routes_need_a_user(db: None, path: str) -> None:
    route = path.replace("<uuid:token_id>", str(uuid4())).replace("<uuid:view_id>", str(uuid4()))
    for method in ("get", "post", "delete"):
        assert getattr(APIClient(), method)(f"/api/v1/{route}").status_code in (401, 405)


@pytest.mark.parametrize("path", sorted(LISTS))
def test_lists_show_the_users_own_projects_only(
    run: Run, editor: User, stranger: User, path: str
) -> None:
    assert len(signed_in(editor).get(f"/api/v1/{path}").json()["results"]) == 1
    assert signed_in(stranger).get(f"/api/v1/{path}").json()["results"] == []


def test_a_viewer_cannot_create_a_job(viewer: User, project: Project) -> None:
    api = signed_in(viewer)
    for body in ({}, {"project": str(project.pk)}):
        answer = api.post("/api/v1/jobs/", {"name": "x", "spec": {}, **body})
        assert answer.status_code == 403
    assert not Job.objects.exists()


def test_a_job_in_a_foreign_project_is_refused_as_if_there_were_none(
    stranger: User, project: Project
) -> None:
    api = signed_in(stranger)
    for wanted in (project.pk, uuid4()):
        answer = api.post("/api/v1/jobs/", {"name": "x", "spec": {}, "project": str(wanted)})
        assert answer.status_code == 400
        assert answer.json()["fields"] == {"project": ["There is no such project."]}


def test_a_user_who_was_switched_off_has_no_access(run: Run, editor: User) -> None:
    editor.is_active = False
    editor.save()
    assert signed_in(editor).get(f"/api/v1/runs/{run.pk}/").status_code == 404


def test_allowed_actions_follow_the_role(run: Run, editor: User, viewer: User) -> None:
    def actions(user: User) -> list[str]:
        found: list[str] = signed_in(user).get(f"/api/v1/runs/{run.pk}/").json()["allowed_actions"]
        return found

    assert actions(editor) == ["pause", "cancel", "clone"]
    assert actions(viewer) == []
    services.finish_run(lease=begin(run), metrics={}, totals={}, model_artifacts=[])
    assert actions(editor) == ["clone", "download_model"]
    assert actions(viewer) == ["download_model"]


def test_a_member_of_two_projects_sees_each_run_once(
    editor: User, project: Project, stranger: User
) -> None:
    stranger.memberships.create(project=project, role=Role.VIEWER)
    make_run(editor, project)
    make_job(editor, project)
    assert len(signed_in(stranger).get("/api/v1/runs/").json()["results"]) == 1

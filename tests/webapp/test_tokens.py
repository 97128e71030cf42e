"""Tokens for programs: named, shown once, hashed, expiring, revocable, and one's own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from tests.factories import make_member, make_run
from tests.webapp.conftest import signed_in
from webapp.accounts.models import ApiToken, Project, User
from webapp.accounts.roles import Role, Scope
from webapp.accounts.services import create_token
from webapp.jobs.models import Run

URL = "/api/v1/tokens/"
ME = "/api/v1/auth/me/"


def create(api: APIClient, **body: Any) -> dict[str, Any]:
    answer = api.post(URL, {"name": "laptop", **body})
    assert answer.status_code == 201, answer.content
    created: dict[str, Any] = answer.json()
    return created


def with_token(token: str) -> APIClient:
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return api


def test_a_token_opens_the_api_for_its_user(api: APIClient, editor: User) -> None:
    token = create(api)["token"]
    assert with_token(token).get(ME).json()["user"]["username"] == editor.username


def test_a_token_is_shown_once_and_stored_as_a_hash(api: APIClient) -> None:
    created = create(api)
    token = created.pop("token")
    assert api.get(URL).json()["results"] == [created]
    (row,) = ApiToken.objects.values()
    assert token not in str(row)
    assert token.startswith("rh_")


def test_a_program_with_a_token_needs_no_csrf_token(api: APIClient) -> None:
    program = APIClient(enforce_csrf_checks=True)
    program.credentials(HTTP_AUTHORIZATION=f"Bearer {create(api)['token']}")
    assert program.post("/api/v1/jobs/", {"name": "x", "spec": {}}).status_code == 201


def test_an_expired_token_opens_nothing(api: APIClient) -> None:
    token = create(api, expires_in_days=1)["token"]
    ApiToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    assert with_token(token).get(ME).status_code == 401


@pytest.mark.parametrize("token", ["", "x", "rh_" + "0" * 64, "ü", "a b", "\x00"])
def test_what_is_no_token_opens_nothing(db: None, token: str) -> None:
    answer = with_token(token).get(ME)
    assert answer.status_code == 401
    assert answer.json()["code"] in ("authentication_failed", "not_authenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_revoked_token_opens_nothing(api: APIClient) -> None:
    created = create(api)
    assert api.delete(f"{URL}{created['id']}/").status_code == 204
    assert with_token(created["token"]).get(ME).status_code == 401


def test_nobody_sees_or_revokes_anothers_token(api: APIClient, stranger: User) -> None:
    created = create(api)
    other = signed_in(stranger)
    assert other.get(URL).json()["results"] == []
    assert other.delete(f"{URL}{created['id']}/").status_code == 404
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"expires_in_days": 0}, "expires_in_days"),
        ({"expires_in_days": 366}, "expires_in_days"),
        ({"expires_in_days": "soon"}, "expires_in_days"),
        ({"scope": "all"}, "scope"),
    ],
)
def test_wrong_wishes_are_refused_by_field(
    api: APIClient, body: dict[str, Any], field: str
) -> None:
    answer = api.post(URL, {"name": "x", **body})
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [field]


def with_scope(user: User, scope: Scope) -> APIClient:
    _, token = create_token(user=user, name="x", lifetime=timedelta(days=1), scope=scope)
    return with_token(token)


def test_a_token_that_may_read_launches_nothing(run: Run, editor: User) -> None:
    program = with_scope(editor, Scope.READ)
    seen = program.get(f"/api/v1/runs/{run.pk}/")
    assert (seen.status_code, seen.json()["allowed_actions"]) == (200, [])
    for path, body in (("jobs/", {"name": "x", "spec": {}}), (f"runs/{run.pk}/pause/", {})):
        assert program.post(f"/api/v1/{path}", body).status_code == 403
    assert program.get("/api/v1/projects/").json()["results"][0]["role"] == "viewer"


def test_a_scope_lends_no_more_than_its_user_has(run: Run, viewer: User) -> None:
    program = with_scope(viewer, Scope.ADMIN)
    assert program.post(f"/api/v1/runs/{run.pk}/pause/").status_code == 403


def test_no_token_makes_or_ends_a_token(editor: User) -> None:
    program = with_scope(editor, Scope.ADMIN)
    refused = program.post(URL, {"name": "more"})
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_too_small")
    assert program.delete(f"{URL}{ApiToken.objects.get().id}/").status_code == 403
    assert ApiToken.objects.count() == 1


def test_the_last_use_of_a_token_is_written_down_once_a_minute(api: APIClient) -> None:
    created = create(api)
    assert created["last_used_at"] is None
    program = with_token(created["token"])
    program.get(ME, REMOTE_ADDR="192.0.2.7")
    (row,) = api.get(URL).json()["results"]
    assert row["last_used_from"] == "192.0.2.7"
    program.get(ME, REMOTE_ADDR="192.0.2.8")
    assert api.get(URL).json()["results"] == [row]
    ApiToken.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
    program.get(ME, REMOTE_ADDR="192.0.2.8")
    assert api.get(URL).json()["results"][0]["last_used_from"] == "192.0.2.8"


def of_project(project: Project, scope: str) -> tuple[APIClient, APIClient, dict[str, Any]]:
    admin = signed_in(make_member(project, Role.ADMIN))
    body = {"name": "nightly", "scope": scope}
    made = admin.post(f"/api/v1/projects/{project.pk}/tokens/", body)
    assert made.status_code == 201, made.content
    return admin, with_token(made.json()["token"]), made.json()


def test_a_projects_token_sees_its_project_and_no_other(
    project: Project, run: Run, stranger: User
) -> None:
    _, program, _ = of_project(project, "run")
    assert [row["id"] for row in program.get("/api/v1/projects/").json()["results"]] == [
        str(project.pk)
    ]
    elsewhere = make_run(stranger, make_project_of(stranger))
    assert program.get(f"/api/v1/runs/{elsewhere.pk}/").status_code == 404
    assert program.post(f"/api/v1/runs/{run.pk}/pause/").status_code == 200


def make_project_of(user: User) -> Project:
    return user.memberships.get().project


def test_a_revoked_token_of_a_project_leaves_no_account_that_may_do_something(
    project: Project,
) -> None:
    admin, program, made = of_project(project, "read")
    assert program.get(ME).status_code == 200
    listed = admin.get(f"/api/v1/projects/{project.pk}/members/").json()["results"]
    assert len(listed) == 1  # the account of the token is no member that people see
    assert admin.delete(f"/api/v1/projects/{project.pk}/tokens/{made['id']}/").status_code == 204
    assert program.get(ME).status_code == 401
    assert not User.objects.filter(is_service=True, is_active=True).exists()


def test_a_switched_off_users_token_opens_nothing(editor: User) -> None:
    _, token = create_token(user=editor, name="x", lifetime=timedelta(days=1))
    User.objects.filter(pk=editor.pk).update(is_active=False)
    assert with_token(token).get(ME).status_code == 401

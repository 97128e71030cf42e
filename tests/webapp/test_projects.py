"""Projects: who makes them, who belongs to them, and how much they may run."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.factories import make_member, make_user
from tests.webapp.conftest import signed_in
from webapp.accounts.models import AuditEntry, Membership, Project, User
from webapp.accounts.roles import Role


@pytest.fixture
def admin(project: Project) -> APIClient:
    return signed_in(make_member(project, Role.ADMIN, username="ada"))


@pytest.fixture
def operator(db: None) -> APIClient:
    return signed_in(make_user(is_superuser=True))


def url(project: Project, *parts: Any) -> str:
    return "/".join(["/api/v1/projects", str(project.pk), *map(str, parts), ""])


def test_only_an_operator_makes_projects(admin: APIClient, operator: APIClient) -> None:
    assert admin.post("/api/v1/projects/", {"name": "mine"}).status_code == 403
    made = operator.post("/api/v1/projects/", {"name": "new"})
    assert (made.status_code, made.json()["role"]) == (201, "admin")
    again = operator.post("/api/v1/projects/", {"name": "new"})
    assert (again.status_code, again.json()["code"]) == (409, "name_taken")


def test_an_administrator_renames_the_project(admin: APIClient, project: Project) -> None:
    assert admin.patch(url(project), {"name": "other"}).json()["name"] == "other"
    entry = AuditEntry.objects.get(action="project.change")
    assert (entry.before, entry.after) == ({"name": project.name}, {"name": "other"})


def test_members_are_listed_with_their_roles(
    admin: APIClient, project: Project, editor: User
) -> None:
    rows = admin.get(url(project, "members")).json()["results"]
    assert {(row["username"], row["role"], row["is_me"]) for row in rows} == {
        ("ada", "admin", True),
        (editor.username, "editor", False),
    }


def test_a_changed_role_counts_at_once(admin: APIClient, project: Project, editor: User) -> None:
    member = editor.memberships.get()
    changed = admin.patch(url(project, "members", member.pk), {"role": "viewer"})
    assert changed.json()["role"] == "viewer"
    body = {"name": "x", "spec": {}, "project": str(project.pk)}
    assert signed_in(editor).post("/api/v1/jobs/", body).status_code == 403


def test_the_last_administrator_stays(admin: APIClient, project: Project) -> None:
    me = Membership.objects.get(user__username="ada")
    address = url(project, "members", me.pk)
    for answer in (admin.patch(address, {"role": "viewer"}), admin.delete(address)):
        assert (answer.status_code, answer.json()["code"]) == (409, "last_administrator")
    make_member(project, Role.ADMIN)
    assert admin.delete(address).status_code == 204


def test_a_member_may_leave_and_remove_nobody_else(
    project: Project, editor: User, viewer: User
) -> None:
    api = signed_in(viewer)
    other = url(project, "members", editor.memberships.get().pk)
    assert api.delete(other).status_code == 403
    assert api.delete(url(project, "members", viewer.memberships.get().pk)).status_code == 204
    assert api.get(url(project)).status_code == 404


def test_a_member_of_another_project_is_no_member(
    admin: APIClient, project: Project, stranger: User
) -> None:
    foreign = url(project, "members", stranger.memberships.get().pk)
    assert admin.patch(foreign, {"role": "admin"}).status_code == 404
    assert admin.delete(foreign).status_code == 404


def test_limits_are_set_by_operators_and_seen_by_members(
    admin: APIClient, operator: APIClient, project: Project
) -> None:
    limits = {"max_running": 2, "max_queued": None}
    assert admin.put(url(project, "quota"), limits).status_code == 403
    assert operator.put(url(project, "quota"), limits).status_code == 200
    seen = admin.get(url(project, "quota")).json()
    assert (seen["max_running"], seen["max_queued"], seen["queued"]) == (2, None, 0)
    entry = AuditEntry.objects.get(action="project.quota")
    assert (entry.before, entry.after) == ({"max_running": None}, {"max_running": 2})


@pytest.mark.parametrize(("part", "body"), [("", {"name": ""}), ("quota", {"max_running": 0})])
def test_wrong_wishes_are_refused_by_field(
    operator: APIClient, admin: APIClient, project: Project, part: str, body: dict[str, Any]
) -> None:
    if part:
        answer = operator.put(url(project, part), {"max_queued": None, **body})
    else:
        answer = admin.patch(url(project), body)
    assert (answer.status_code, set(answer.json()["fields"])) == (400, set(body))

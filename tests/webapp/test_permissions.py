"""What roles mean for jobs and runs; who reaches which route is in test_permission_matrix."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.factories import begin, make_job, make_run
from tests.webapp.conftest import signed_in
from webapp.accounts.models import Project, User
from webapp.accounts.roles import Role
from webapp.jobs import services
from webapp.jobs.models import Job, Run

#: Lists of a user's projects; a stranger's are empty.
LISTS = {"jobs/", "runs/"}


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

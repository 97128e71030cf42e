"""Every refusal that the schema names for an operation is one that the operation makes."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from drf_spectacular.generators import SchemaGenerator
from pytest_django import Settings
from rest_framework.test import APIClient

from fedcore.sites.routes import ENROL
from tests.factories import make_user
from tests.fuzz.stage import SITE_ROUTES, Stage, make_stage
from tests.webapp.conftest import signed_in
from tests.webapp.site_agents import Agent, approved, enrolment
from webapp.jobs import services
from webapp.sites.models import SiteTask

pytestmark = pytest.mark.django_db
#: Operations that make nobody wait for a role: whoever is signed in may ask, and forged requests
#: alone are refused with 403.
FOR_ALL = (
    *("/auth/", "/v1/invitations/", "/spec/", "/intents/", "/views/", "/v1/tokens/"),
    *("/runs/bulk/", "{member_id}", "/audit/", "/sites/draft/", "/sites/eligibility/"),
)
#: Operations that are about what their body names.
BY_BODY = (
    *("/api/v1/compare/", "/api/v1/invitations/preview/", "/api/v1/invitations/accept/"),
    *("/api/v1/sites/draft/", "/api/v1/sites/eligibility/"),
)
#: Operations for which something else is asked first: a key, a limit of their own.
ASKED_FIRST = (
    *("/api/v1/auth/login/", "/api/v1/auth/request/", "/api/v1/intents/"),
    *("/api/v1/invitations/preview/", "/api/v1/invitations/accept/"),
)


def all_operations(status: HTTPStatus) -> list[tuple[str, str]]:
    """Return method and path of the operations that name a status."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return [
        (method, path)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
        if str(int(status)) in operation["responses"]
    ]


def operations(status: HTTPStatus) -> list[tuple[str, str]]:
    """Return those of them that people and their programs ask for."""
    return [each for each in all_operations(status) if not each[1].startswith(SITE_ROUTES)]


def of_sites(status: HTTPStatus) -> list[tuple[str, str]]:
    """Return those of them that sites ask for with a signature."""
    found = [each for each in all_operations(status) if each[1].startswith(SITE_ROUTES)]
    return [each for each in found if each[1] != ENROL]


def missed_by_sites(
    status: HTTPStatus,
    agent: Agent,
    stage: Stage,
    body: bytes = b"{}",
    content_type: str = "application/json",
) -> list[tuple[str, str, int]]:
    """Return the operations of sites that name a status and do not answer a site with it."""
    found = []
    for method, path in of_sites(status):
        address = path.format(**stage.ids_for(path, method))
        if method == "put":
            address += "?offset=0"
        sent = body if method != "get" else b""
        answer = agent.ask(method.upper(), address, sent, content_type=content_type)
        found.append((method, path, answer.status_code))
    assert found
    return [row for row in found if row[2] != status]


@pytest.fixture
def stage(db: None, settings: Settings, tmp_path: Any) -> Stage:  # noqa: ARG001
    default = {**settings.STORAGES["default"], "OPTIONS": {"location": str(tmp_path / "files")}}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    return make_stage()


def ask(api: APIClient, stage: Stage, method: str, path: str, **request: Any) -> int:
    ids = {"session_id": "7", **stage.ids_for(path, method)}
    address = path.format(**ids)
    answer = getattr(api, method)(address, **request)
    assert answer.status_code < 500, f"{method} {path}: {answer.content[:300]!r}"
    return int(answer.status_code)


def misses(
    status: HTTPStatus, api: APIClient, stage: Stage, **request: Any
) -> list[tuple[str, str, int]]:
    """Return the operations that name a status and do not answer with it."""
    found = [(m, p, ask(api, stage, m, p, **request)) for m, p in operations(status)]
    assert found
    return [row for row in found if row[2] != status]


def test_nobody_is_refused_with_401(stage: Stage) -> None:
    missed = misses(HTTPStatus.UNAUTHORIZED, APIClient(), stage)
    nobody = Agent(uuid4())
    assert missed_by_sites(HTTPStatus.UNAUTHORIZED, nobody, stage) == []
    assert [row for row in missed if row[1] != "/api/v1/auth/login/"] == []
    wrong = {"username": "nobody", "password": "x"}
    assert APIClient().post("/api/v1/auth/login/", wrong, format="json").status_code == 401


def test_a_forged_request_is_refused_with_403(stage: Stage) -> None:
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(stage.admin)
    reads = [("get", path) for method, path in operations(HTTPStatus.FORBIDDEN) if method == "get"]
    missed = misses(HTTPStatus.FORBIDDEN, browser, stage, data={}, format="json")
    assert [row for row in missed if row[:2] not in reads] == []


def test_a_viewer_is_refused_with_403_where_a_role_is_needed(stage: Stage) -> None:
    api = signed_in(stage.viewer)
    wanted = [
        (method, path)
        for method, path in operations(HTTPStatus.FORBIDDEN)
        if not any(part in path for part in FOR_ALL)
        if (method, path)
        not in (("patch", "/api/v1/runs/{run_id}/"), ("post", "/api/v1/auth/login/"))
    ]
    body = {"name": "x", "spec": {}}
    found = [(m, p, ask(api, stage, m, p, data=body, format="json")) for m, p in wanted]
    assert [row for row in found if row[2] != HTTPStatus.FORBIDDEN] == []


def test_what_is_not_there_is_answered_with_404(stage: Stage) -> None:
    api = signed_in(make_user())
    missed = misses(HTTPStatus.NOT_FOUND, api, stage, data={}, format="json")
    compared = api.get("/api/v1/compare/", {"runs": str(uuid4())})
    assert compared.status_code == HTTPStatus.NOT_FOUND
    # Whoever does not run the installation is told so first.
    assert [row for row in missed if row[1] not in BY_BODY and row[2] != 403] == []


@pytest.mark.parametrize(
    ("status", "request_"),
    [
        (
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            {"data": " " * 2_000_000, "content_type": "application/json"},
        ),
        (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, {"data": "x", "content_type": "text/plain"}),
    ],
)
def test_bodies_are_refused_with_413_and_415(
    stage: Stage, status: HTTPStatus, request_: dict[str, Any]
) -> None:
    missed = misses(status, signed_in(stage.admin), stage, **request_)
    assert [row for row in missed if row[1] not in ASKED_FIRST] == []


def test_who_asks_too_often_is_refused_with_429(stage: Stage, settings: Settings) -> None:
    cache.clear()
    settings.RATE_LIMITS = {"requests": 0, "changes": 0, "anonymous": 0}
    missed = misses(
        HTTPStatus.TOO_MANY_REQUESTS, signed_in(stage.admin), stage, data={}, format="json"
    )
    missed += misses(HTTPStatus.TOO_MANY_REQUESTS, APIClient(), stage, data={}, format="json")
    signed_in_only = [row for row in missed if row[2] != 401 and row[1] not in ASKED_FIRST]
    assert [row for row in signed_in_only if row[1] != "/api/v1/auth/options/"] == []


def test_the_key_of_another_request_is_refused_with_422(stage: Stage) -> None:
    api = signed_in(stage.admin)
    key = {"Idempotency-Key": "k"}
    first = {"name": "x", "spec": {}}
    assert api.post("/api/v1/jobs/", first, format="json", headers=key).status_code == 201
    missed = misses(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        api,
        stage,
        data={"name": "y", "spec": {}},
        format="json",
        headers=key,
    )
    assert missed == []


def test_what_the_state_forbids_is_refused_with_409(stage: Stage) -> None:
    """Each operation is asked about the row that it cannot be done to."""
    api = signed_in(stage.admin)
    finished, failed = stage.runs["watched"], stage.runs["retry"]
    cases = {
        ("delete", "/api/v1/jobs/{job_id}/"): {"job_id": finished.job_id},
        ("post", "/api/v1/jobs/{job_id}/runs/"): {"job_id": stage.sweeps[0]},
        ("post", "/api/v1/jobs/{job_id}/sweep/cancel/"): {"job_id": stage.sweeps[0]},
        ("post", "/api/v1/jobs/{job_id}/sweep/resume/"): {"job_id": stage.sweeps[1]},
        ("patch", "/api/v1/runs/{run_id}/"): None,  # two people at the same moment
        ("post", "/api/v1/invitations/accept/"): None,  # a member takes an invitation
        ("post", "/api/v1/projects/"): None,  # the name is taken; so it is below
        ("patch", "/api/v1/projects/{project_id}/"): None,
        ("patch", "/api/v1/users/{user_id}/"): {"user_id": stage.admin.pk},
        ("get", "/api/v1/runs/{run_id}/model/"): {"run_id": failed.pk},
        **{
            ("post", f"/api/v1/runs/{{run_id}}/{action}/"): {"run_id": finished.pk}
            for action in ("pause", "resume", "cancel", "retry", "retry-failed")
        },
        ("post", "/api/v1/sites/{site_id}/invitation/"): {"site_id": stage.sites["approve"]},
        ("post", "/api/v1/sites/{site_id}/approve/"): {"site_id": stage.sites["invitation"]},
        ("post", "/api/v1/sites/{site_id}/revoke/"): {"site_id": stage.sites["revoked"]},
    }
    assert {*operations(HTTPStatus.CONFLICT)} == {*cases}
    for (method, path), ids in cases.items():
        if ids is not None:
            body = {"is_active": False} if method == "patch" else None
            answer = getattr(api, method)(path.format(**ids), body, format="json")
            assert answer.status_code == HTTPStatus.CONFLICT, (method, path, answer.json())
    made = api.post("/api/v1/projects/", {"name": "another"}, format="json").json()
    for ask_for, path in ((api.post, ""), (api.patch, f"{made['id']}/")):
        answer = ask_for(f"/api/v1/projects/{path}", {"name": stage.project.name}, format="json")
        assert answer.status_code == HTTPStatus.CONFLICT, answer.json()


def test_a_site_that_was_revoked_is_refused_with_403(stage: Stage) -> None:
    assert missed_by_sites(HTTPStatus.FORBIDDEN, stage.on_sites.revoked, stage) == []


def test_a_site_finds_nothing_of_another_one(stage: Stage) -> None:
    other = approved(stage.admin, stage.project, "other")
    body = b'{"rule": "no", "message": "no", "code": "no"}'
    missed = missed_by_sites(HTTPStatus.NOT_FOUND, other, stage, body)
    # What has no such fields is refused before anybody looks what it is about.
    assert [row for row in missed if row[2] != HTTPStatus.BAD_REQUEST] == []
    code = enrolment("no-such-code", other.key)
    answer = APIClient().post(ENROL, code, format="json")
    assert answer.status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize(
    ("status", "body", "content_type"),
    [
        (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b" " * 2_000_000, "application/json"),
        (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, b"x", "text/plain"),
    ],
)
def test_bodies_of_sites_are_refused_with_413_and_415(
    stage: Stage, status: HTTPStatus, body: bytes, content_type: str
) -> None:
    missed = missed_by_sites(status, stage.on_sites.agent, stage, body, content_type)
    assert [row for row in missed if row[0] != "put"] == []
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        content_type = "application/octet-stream"
        missed = missed_by_sites(status, stage.on_sites.agent, stage, body, content_type)
    assert [row for row in missed if row[0] == "put"] == []


def test_a_site_that_asks_too_often_is_refused_with_429(stage: Stage, settings: Settings) -> None:
    cache.clear()
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "sites": 0}
    agent = stage.on_sites.agent
    assert missed_by_sites(HTTPStatus.TOO_MANY_REQUESTS, agent, stage) == []


def test_what_nobody_waits_for_is_refused_with_409(stage: Stage) -> None:
    agent = stage.on_sites.agent
    for task in (stage.on_sites.train, stage.on_sites.test):
        services.request_cancel(run=task.run, user=stage.admin)
        task.run.refresh_from_db()
    SiteTask.objects.filter(site=agent.site_id).update(message_key="")
    bodies = (
        b'{"rule": "no", "message": "no"}',
        b'{"code": "no", "message": "no"}',
        b'{"seconds": 1, "num_examples": 1, "tally": [1.0]}',
    )
    wanted = {*of_sites(HTTPStatus.CONFLICT)}
    for body in bodies:
        missed = missed_by_sites(HTTPStatus.CONFLICT, agent, stage, body)
        wanted &= {row[:2] for row in missed}
    piece = agent.put(stage.on_sites.train.pk, 0, b"x")
    assert wanted == {("put", f"{SITE_ROUTES}tasks/{{task_id}}/upload/")}
    assert piece.status_code == HTTPStatus.CONFLICT


def test_a_wrong_sum_is_refused_with_422(stage: Stage) -> None:
    agent, task = stage.on_sites.agent, stage.on_sites.train
    assert agent.put(task.pk, 0, b"xx").status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert agent.put(task.pk, 0, b"x").status_code == HTTPStatus.OK
    assert agent.finish(task.pk, b"y").status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert {path.rpartition("}/")[2] for _, path in of_sites(HTTPStatus.UNPROCESSABLE_ENTITY)} == {
        "upload/",
        "result/",
    }

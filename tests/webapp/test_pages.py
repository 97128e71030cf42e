"""What a browser gets: the front end at every address, and headers that forbid the rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from asgiref.testing import ApplicationCommunicator
from django.test import Client, RequestFactory
from pytest_django import Settings

from tests.factories import PASSWORD, make_run, make_user
from webapp.accounts.models import AuditEntry, Project, User
from webapp.asgi import application
from webapp.security import csp_nonce

INDEX = '<!doctype html><meta property="csp-nonce" content="__CSP_NONCE__"><div id="root"></div>'


@pytest.fixture
def frontend(settings: Settings, tmp_path: Path) -> Path:
    """A front end that is built."""
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text(INDEX)
    (dist / "assets" / "main-3f2a.js").write_text("let answer = 42")
    settings.FRONTEND_DIR = settings.WHITENOISE_ROOT = dist
    return dist


@pytest.mark.parametrize("path", ["/", "/runs", "/runs/7/metrics", "/sign-in?next=/", "/a.b"])
def test_every_page_address_gives_the_front_end(client: Client, frontend: Path, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert '<div id="root">' in answer.content.decode()
    assert answer.headers["Cache-Control"] == "no-cache"


def test_the_pages_nonce_is_that_of_its_policy(client: Client, frontend: Path) -> None:
    answers = [client.get("/") for _ in range(2)]
    nonces = [answer.content.decode().split('content="')[1].split('"')[0] for answer in answers]
    assert nonces[0] != nonces[1]
    for answer, nonce in zip(answers, nonces, strict=True):
        assert f"'nonce-{nonce}'" in answer.headers["Content-Security-Policy"]


def test_files_of_the_front_end_are_cached_for_ever(client: Client, frontend: Path) -> None:
    answer = client.get("/assets/main-3f2a.js")
    assert answer.content == b"let answer = 42"
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert "immutable" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(("accepted", "sent"), [("gzip, br", "br"), ("gzip", "gzip")])
def test_a_file_travels_as_small_as_the_browser_takes_it(
    client: Client, frontend: Path, accepted: str, sent: str
) -> None:
    """The build writes the compressed files; here their content says which one was sent."""
    for ending, content in ((".br", b"br"), (".gz", b"gzip")):
        (frontend / "assets" / f"main-3f2a.js{ending}").write_bytes(content)
    answer = client.get("/assets/main-3f2a.js", headers={"Accept-Encoding": accepted})
    assert answer.content == sent.encode()
    assert answer.headers["Content-Encoding"] == sent
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert "Accept-Encoding" in answer.headers["Vary"]


def test_before_it_is_built_a_page_says_how_to_build_it(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    settings.FRONTEND_DIR = tmp_path / "nowhere"
    answer = client.get("/")
    assert answer.status_code == 503
    assert "make setup" in answer.content.decode()


@pytest.mark.parametrize("path", ["/api", "/api/v2/", "/api/v1/nothing/", "/ws/runs/"])
def test_addresses_of_programs_never_give_a_page(client: Client, frontend: Path, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


def test_a_page_cannot_be_posted_to(client: Client, frontend: Path) -> None:
    assert client.post("/").status_code == 405


@pytest.mark.parametrize("path", ["/", "/api/v1/health/live/", "/admin/login/?next=/admin/"])
def test_every_answer_carries_the_security_headers(
    client: Client, db: None, frontend: Path, path: str
) -> None:
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe-eval" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"


def test_the_nonce_of_one_request_stays_the_same(rf: RequestFactory) -> None:
    request = rf.get("/")
    assert csp_nonce(request) == csp_nonce(request)


async def test_a_server_sends_static_files_without_a_warning(frontend: Path) -> None:
    """A synchronous file answer would be read with a warning, and warnings are errors here."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/static/admin/css/base.css",
        "query_string": b"",
        "headers": [(b"host", b"testserver")],
    }
    connection = ApplicationCommunicator(application, scope)
    await connection.send_input({"type": "http.request", "body": b"", "more_body": False})
    assert (await connection.receive_output(10))["status"] == 200
    assert b"body" in (await connection.receive_output(10))["body"]
    await connection.wait(10)


def test_the_request_id_is_answered_and_a_hostile_one_replaced(client: Client, db: None) -> None:
    path = "/api/v1/health/live/"
    assert client.get(path, headers={"X-Request-ID": "a-1"}).headers["X-Request-ID"] == "a-1"
    for hostile in ("x" * 65, "a b", 'a"}'):
        answered = client.get(path, headers={"X-Request-ID": hostile}).headers["X-Request-ID"]
        assert answered != hostile


# --- health and operators -------------------------------------------------------------------------


def test_the_process_is_alive_and_ready(client: Client, db: None) -> None:
    assert client.get("/api/v1/health/live/").json()["status"] == "ok"
    ready = client.get("/api/v1/health/ready/")
    assert ready.status_code == 200
    assert set(ready.json()["checks"].values()) == {"ok"}


def test_a_process_that_misses_a_part_says_which(
    client: Client, db: None, settings: Settings
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = client.get("/api/v1/health/ready/")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"database": "ok", "redis": "not reached"}


@pytest.fixture
def operator(db: None) -> User:
    return make_user(is_staff=True, is_superuser=True)


@pytest.mark.parametrize(
    "page",
    [
        "accounts/user",
        "accounts/project",
        "accounts/apitoken",
        "jobs/job",
        "jobs/run",
        "jobs/runevent",
        "artifacts/artifact",
    ],
)
def test_operators_see_everything(
    client: Client, operator: User, editor: User, project: Project, page: str
) -> None:
    make_run(editor, project)
    client.force_login(operator)
    assert client.get(f"/admin/{page}/").status_code == 200


def test_operators_look_at_runs_but_change_them_only_through_the_api(
    client: Client, operator: User, editor: User, project: Project
) -> None:
    run = make_run(editor, project)
    client.force_login(operator)
    shown = client.get(f"/admin/jobs/run/{run.pk}/change/")
    assert shown.status_code == 200
    assert client.post(f"/admin/jobs/run/{run.pk}/change/", {"state": "failed"}).status_code == 403
    assert client.post(f"/admin/jobs/run/{run.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get("/admin/jobs/run/add/").status_code == 403


def test_users_are_not_operators(client: Client, editor: User) -> None:
    client.force_login(editor)
    assert client.get("/admin/jobs/run/").status_code == 302


def test_the_administration_has_no_door_of_its_own(client: Client, operator: User) -> None:
    assert client.get("/admin/").headers["Location"] == "/admin/login/?next=/admin/"
    answer = client.get("/admin/login/?next=/admin/jobs/")
    assert answer.headers["Location"] == "/sign-in?next=%2Fadmin%2Fjobs%2F"
    assert client.get("/admin/login/?next=https://evil.example").headers["Location"] == (
        "/sign-in?next=%2Fadmin%2F"
    )
    body = {"username": operator.username, "password": PASSWORD}
    assert client.post("/admin/login/", body).status_code == 405
    assert client.get("/admin/").status_code == 302


def test_what_is_changed_in_the_administration_is_in_the_audit_log(
    client: Client, operator: User, project: Project
) -> None:
    client.force_login(operator)
    url = f"/admin/accounts/project/{project.pk}/delete/"
    assert client.post(url, {"post": "yes"}).status_code == 302
    entry = AuditEntry.objects.get(action="project.delete")
    assert (entry.actor_name, entry.object_id) == (operator.username, str(project.pk))

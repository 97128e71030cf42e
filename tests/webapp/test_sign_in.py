"""Signing in with a browser: session, CSRF, and guessing that gets slow."""

from __future__ import annotations

from contextvars import Context
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from tests.factories import PASSWORD, make_member
from webapp.accounts.models import Project, User
from webapp.accounts.roles import Role

LOGIN, LOGOUT, ME, CSRF = (f"/api/v1/auth/{name}/" for name in ("login", "logout", "me", "csrf"))


@pytest.fixture
def browser() -> Client:
    """A browser with an address of its own, since attempts are counted by address."""
    address = f"2001:db8::{uuid4().hex[:4]}:{uuid4().hex[:4]}"
    return Client(enforce_csrf_checks=True, REMOTE_ADDR=address)


@pytest.fixture
def user(project: Project) -> User:
    return make_member(project, Role.EDITOR, username=f"ada-{uuid4().hex}")


def sign_in(browser: Client, user: User, password: str = PASSWORD) -> Any:
    token = browser.get(CSRF).json()["csrf_token"]
    return browser.post(
        LOGIN,
        {"username": user.username, "password": password},
        content_type="application/json",
        headers={"X-CSRFToken": token},
    )


def test_signing_in_opens_a_session_and_says_who_one_is(
    browser: Client, user: User, project: Project
) -> None:
    answer = sign_in(browser, user)
    assert answer.status_code == 200
    me = answer.json()
    assert me == {
        "user": {
            "id": str(user.pk),
            "username": user.username,
            "is_staff": False,
            "is_superuser": False,
        },
        "projects": [{"id": str(project.pk), "name": project.name, "role": "editor"}],
    }
    assert browser.get(ME).json() == me
    cookie = browser.cookies["roundhouse_session"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_a_wrong_password_and_an_unknown_name_look_alike(browser: Client, user: User) -> None:
    wrong = sign_in(browser, user, "wrong")
    unknown = sign_in(browser, User(username=f"nobody-{uuid4().hex}"))
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()
    assert wrong.json()["code"] == "wrong_credentials"


def test_a_switched_off_user_cannot_sign_in(browser: Client, user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert sign_in(browser, user).status_code == 401


def test_signing_in_needs_the_csrf_token(browser: Client, user: User) -> None:
    body = {"username": user.username, "password": PASSWORD}
    answer = browser.post(LOGIN, body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")


def test_a_session_cannot_write_without_the_csrf_token(browser: Client, user: User) -> None:
    sign_in(browser, user)
    answer = browser.post("/api/v1/jobs/", {}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")


def test_signing_out_ends_the_session(browser: Client, user: User) -> None:
    sign_in(browser, user)
    token = browser.cookies["csrftoken"].value
    headers = {"X-CSRFToken": token}
    answer = browser.post(LOGOUT, content_type="application/json", headers=headers)
    assert answer.status_code == 204
    answer = browser.get(ME)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_guessing_one_name_gets_slow_and_others_are_not_locked_out(
    browser: Client, user: User, project: Project
) -> None:
    for _ in range(10):
        assert sign_in(browser, user, "wrong").status_code == 401
    blocked = sign_in(browser, user)
    assert (blocked.status_code, blocked.json()["code"]) == (429, "throttled")
    assert 0 < int(blocked.headers["Retry-After"]) <= 61
    other = make_member(project, Role.VIEWER, username=f"grace-{uuid4().hex}")
    assert sign_in(browser, other).status_code == 200


def test_without_redis_one_can_sign_in_but_not_guess(
    browser: Client, user: User, settings: Settings
) -> None:
    away = {"BACKEND": "webapp.caches.SteadyRedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": away}
    cache.clear()
    # A server gives each request a context, in which Django makes a cache of its own.
    assert Context().run(sign_in, browser, user).status_code == 200
    for _ in range(10):
        Context().run(sign_in, browser, user, "wrong")
    assert Context().run(sign_in, browser, user).status_code == 429


def test_signing_in_rightly_is_no_guess(browser: Client, user: User) -> None:
    for _ in range(15):
        assert sign_in(browser, user).status_code == 200


def test_a_right_password_takes_back_no_guess_but_itself(
    browser: Client, user: User, project: Project
) -> None:
    own = make_member(project, Role.VIEWER, username=f"mallory-{uuid4().hex}")
    for _ in range(10):
        assert sign_in(browser, user, "wrong").status_code == 401
        assert sign_in(browser, own).status_code == 200
    assert sign_in(browser, user, "wrong").status_code == 429


@pytest.mark.parametrize("body", [{}, {"username": "x"}, {"username": ["x"], "password": {}}])
def test_half_a_sign_in_names_what_is_missing(
    browser: Client, db: None, body: dict[str, Any]
) -> None:
    token = browser.get(CSRF).json()["csrf_token"]
    answer = browser.post(
        LOGIN, body, content_type="application/json", headers={"X-CSRFToken": token}
    )
    assert answer.status_code == 400
    assert set(answer.json()["fields"]) <= {"username", "password"}

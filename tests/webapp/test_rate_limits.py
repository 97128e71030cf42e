"""Rate limits: one user cannot take the service from the others, and neither can nobody."""

from __future__ import annotations

from contextvars import Context
from datetime import timedelta

import pytest
from django.core.cache import cache
from pytest_django import Settings
from rest_framework.test import APIClient

from tests.factories import make_member
from tests.webapp.conftest import signed_in
from webapp.accounts.models import Project, User
from webapp.accounts.services import create_token
from webapp.api import rate_limits

NOW = 1_000_000 * 60.0  # at the start of a minute


class Clock:
    """Stands where ``time`` stands; a test moves it."""

    now = NOW

    def time(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    cache.clear()
    clock = Clock()
    monkeypatch.setattr(rate_limits, "time", clock)
    return clock


@pytest.fixture(autouse=True)
def _limits(settings: Settings) -> None:
    settings.RATE_LIMITS = {"requests": 5, "changes": 2, "anonymous": 3}


def statuses(api: APIClient, times: int, path: str = "projects/") -> list[int]:
    return [api.get(f"/api/v1/{path}").status_code for _ in range(times)]


def test_a_user_who_asks_too_often_is_told_when_to_come_back(api: APIClient) -> None:
    assert statuses(api, 6) == [200] * 5 + [429]
    answer = api.get("/api/v1/projects/")
    assert answer.json()["code"] == "throttled"
    assert 0 < int(answer.headers["Retry-After"]) <= 61


def test_limits_are_each_users_own(api: APIClient, project: Project) -> None:
    statuses(api, 6)
    assert statuses(signed_in(make_member(project)), 1) == [200]


def test_a_session_and_a_token_of_one_user_count_together(api: APIClient, editor: User) -> None:
    statuses(api, 5)
    program = APIClient()
    _, token = create_token(user=editor, name="t", lifetime=timedelta(days=1))
    program.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    assert statuses(program, 1) == [429]


def test_the_last_minute_counts_for_what_is_left_of_it(api: APIClient, clock: Clock) -> None:
    statuses(api, 5)
    clock.now = NOW + 60 + 30
    assert statuses(api, 4) == [200, 200, 429, 429]
    clock.now = NOW + 120 + 59
    assert statuses(api, 5) == [200] * 4 + [429]


def test_what_is_refused_does_not_count(api: APIClient, clock: Clock) -> None:
    statuses(api, 50)
    clock.now = NOW + 120
    assert statuses(api, 5) == [200] * 5


def test_changes_have_a_limit_of_their_own(api: APIClient) -> None:
    body = {"name": "x", "spec": {}, "launch": False}
    found = [api.post("/api/v1/jobs/", body).status_code for _ in range(3)]
    assert found == [201, 201, 429]
    assert statuses(api, 1) == [200]


def test_nobody_is_counted_by_address(db: None) -> None:
    def from_address(address: str) -> int:
        return APIClient(REMOTE_ADDR=address).get("/api/v1/auth/csrf/").status_code

    assert [from_address("192.0.2.1") for _ in range(4)] == [200] * 3 + [429]
    assert from_address("192.0.2.2") == 200


def test_probes_are_not_counted(db: None) -> None:
    assert statuses(APIClient(), 9, "health/live/") == [200] * 9


@pytest.fixture
def _redis_away(settings: Settings) -> None:
    away = {"BACKEND": "webapp.caches.SteadyRedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": away}
    cache.clear()


@pytest.mark.usefixtures("_redis_away")
def test_limits_hold_while_redis_is_away(api: APIClient) -> None:
    # A server gives each request a context, in which Django makes a cache of its own.
    found = [Context().run(statuses, api, 1) for _ in range(6)]
    assert found == [[200]] * 5 + [[429]]


def test_a_counter_that_is_lost_while_it_is_used_stops_nobody(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.api.rate_limits.cache.add", lambda *_, **__: cache.clear())
    assert statuses(api, 9) == [200] * 9

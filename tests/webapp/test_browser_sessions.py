"""Sessions of browsers: listed, ended one by one, and all but this one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.utils import timezone

from tests.factories import PASSWORD, make_user
from tests.webapp.browsers import ALLAUTH, API, Browser
from webapp.accounts.models import AuditEntry, User

SESSIONS = f"{API}auth/sessions/"
ME = f"{API}auth/me/"


@pytest.fixture
def user(db: None) -> User:
    return make_user()


def two_browsers(user: User) -> tuple[Browser, Browser]:
    first, second = Browser(), Browser()
    for browser in (first, second):
        assert browser.sign_in(user).status_code == 200
    return first, second


def test_sessions_are_listed_with_where_they_are(user: User) -> None:
    first, _ = two_browsers(user)
    rows = first.get(SESSIONS).json()["sessions"]
    assert [row["is_this"] for row in rows] == [False, True]
    assert {row["browser"] for row in rows} == {"Test browser"}
    assert rows[1]["address"].startswith("2001:db8::")


def test_an_ended_session_opens_nothing(user: User) -> None:
    first, second = two_browsers(user)
    (other,) = [row for row in first.get(SESSIONS).json()["sessions"] if not row["is_this"]]
    assert first.send("delete", f"{SESSIONS}{other['id']}/").status_code == 204
    assert second.get(ME).status_code == 401
    assert first.get(ME).status_code == 200
    entry = AuditEntry.objects.get(action="session.revoke")
    assert entry.before == {"address": other["address"], "browser": "Test browser"}


def test_all_other_sessions_can_be_ended_at_once(user: User) -> None:
    first, second = two_browsers(user)
    third = Browser()
    third.sign_in(user)
    assert first.send("delete", SESSIONS).status_code == 204
    assert [browser.get(ME).status_code for browser in (first, second, third)] == [200, 401, 401]


def test_nobody_ends_anothers_session(user: User) -> None:
    first, _ = two_browsers(user)
    stranger = Browser()
    stranger.sign_in(make_user())
    for row in first.get(SESSIONS).json()["sessions"]:
        assert stranger.send("delete", f"{SESSIONS}{row['id']}/").status_code == 404
    assert first.get(ME).status_code == 200


def test_a_new_password_ends_the_sessions_that_knew_the_old_one(user: User) -> None:
    first, second = two_browsers(user)
    change = f"{ALLAUTH}account/password/change"
    body = {"current_password": PASSWORD, "new_password": "a quite different sentence"}
    assert first.post(change, {**body, "current_password": "wrong"}).status_code == 400
    assert first.post(change, body).status_code == 200
    assert [browser.get(ME).status_code for browser in (first, second)] == [200, 401]
    assert Browser().sign_in(user).status_code == 401
    assert AuditEntry.objects.filter(action="password.change").count() == 1


def test_a_session_of_before_is_not_offered_for_ending(user: User) -> None:
    first, second = two_browsers(user)
    assert second.post(f"{API}auth/logout/").status_code == 204
    assert len(first.get(SESSIONS).json()["sessions"]) == 1


def test_when_a_browser_was_last_seen_is_written_down(user: User) -> None:
    first, _ = two_browsers(user)
    long_ago = timezone.now() - timedelta(days=1)
    UserSession.objects.update(last_seen_at=long_ago)
    first.get(ME)
    seen = sorted(UserSession.objects.values_list("last_seen_at", flat=True))
    assert seen[0] == long_ago < seen[1]

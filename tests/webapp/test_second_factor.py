"""A second factor: asked for when there is one, by code, by recovery code, and never skipped."""

from __future__ import annotations

import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from pytest_django import DjangoCaptureOnCommitCallbacks

from tests.factories import PASSWORD, make_user
from tests.webapp.browsers import ALLAUTH, API, Browser
from webapp.accounts.models import AuditEntry, User

TOTP = f"{ALLAUTH}account/authenticators/totp"
CODES = f"{ALLAUTH}account/authenticators/recovery-codes"
CONFIRM = f"{ALLAUTH}auth/2fa/authenticate"


@pytest.fixture(autouse=True)
def _no_attempts_yet() -> None:
    cache.clear()


@pytest.fixture
def user(db: None) -> User:
    return make_user()


def code_now(secret: str, *, steps: int = 0) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps)))


def prove(browser: Browser) -> None:
    """Give the password again, as for every change of the account itself."""
    assert browser.post(f"{ALLAUTH}auth/reauthenticate", {"password": PASSWORD}).status_code == 200


def switch_on(user: User) -> tuple[Browser, str]:
    """Return a browser in which the user has set up an authenticator, and its secret."""
    browser = Browser()
    assert browser.sign_in(user).status_code == 200
    prove(browser)
    offered = browser.get(TOTP)
    assert offered.status_code == 404  # none yet; the answer holds what to scan
    secret = offered.json()["meta"]["secret"]
    assert browser.post(TOTP, {"code": code_now(secret)}).status_code == 200
    return browser, secret


def test_a_password_alone_is_not_enough_any_more(user: User) -> None:
    _, secret = switch_on(user)
    browser = Browser()
    half = browser.sign_in(user)
    assert (half.status_code, half.json()["code"]) == (401, "second_factor_required")
    assert half.json()["fields"] == {"second_factor": ["recovery_codes", "totp"]}
    assert browser.get(f"{API}auth/me/").status_code == 401
    wrong = browser.post(CONFIRM, {"code": "000000"})
    assert wrong.status_code == 400
    assert browser.get(f"{API}auth/me/").status_code == 401
    # The code that set it up was used: another one, of the step beside it.
    assert browser.post(CONFIRM, {"code": code_now(secret, steps=1)}).status_code == 200
    assert browser.get(f"{API}auth/me/").json()["user"]["username"] == user.username


def test_a_code_works_once(user: User) -> None:
    _, secret = switch_on(user)
    code = code_now(secret, steps=1)
    first, second = Browser(), Browser()
    for browser in (first, second):
        browser.sign_in(user)
    assert first.post(CONFIRM, {"code": code}).status_code == 200
    assert second.post(CONFIRM, {"code": code}).status_code == 400


def test_a_recovery_code_opens_once(user: User) -> None:
    browser, _ = switch_on(user)
    codes: list[str] = browser.get(CODES).json()["data"]["unused_codes"]
    assert len(set(codes)) == 10
    for expected in (200, 400):
        other = Browser()
        other.sign_in(user)
        assert other.post(CONFIRM, {"code": codes[0]}).status_code == expected


def test_guessing_codes_gets_slow(user: User) -> None:
    _, secret = switch_on(user)
    browser = Browser()
    browser.sign_in(user)
    for _ in range(10):
        answer = browser.post(CONFIRM, {"code": "000000"})
    assert answer.status_code in (400, 429)
    assert browser.post(CONFIRM, {"code": code_now(secret, steps=1)}).status_code in (400, 429)
    assert browser.get(f"{API}auth/me/").status_code == 401


def test_secrets_are_not_in_the_database_as_they_are(user: User) -> None:
    _, secret = switch_on(user)
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in stored


def test_changes_of_factors_are_in_the_audit_log(
    user: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        browser, _ = switch_on(user)
        assert browser.send("delete", TOTP).status_code == 200
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"factor.add", "factor.remove"} <= actions


@pytest.mark.parametrize(
    ("method", "path"), [("post", TOTP), ("delete", TOTP), ("post", CODES), ("post", CONFIRM)]
)
def test_factors_change_with_the_csrf_token_only(user: User, method: str, path: str) -> None:
    browser, _ = switch_on(user)
    call: Any = getattr(browser.client, method)
    answer = call(path, {}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")


def test_signing_in_is_not_enough_to_set_up_a_factor(user: User) -> None:
    browser = Browser()
    browser.sign_in(user)
    secret = browser.get(TOTP).json()["meta"]["secret"]
    assert browser.post(TOTP, {"code": code_now(secret)}).status_code == 401
    assert not Authenticator.objects.exists()


def test_an_old_session_has_to_prove_itself_before_it_changes_a_factor(
    user: User, settings: Any
) -> None:
    browser, _ = switch_on(user)
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 0
    assert browser.send("delete", TOTP).status_code == 401
    assert Authenticator.objects.filter(user=user, type="totp").exists()

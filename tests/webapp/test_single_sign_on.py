"""Single sign-on: who comes in, who waits, and answers of a provider that must not be believed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from django.core.cache import cache
from pytest_django import Settings

from tests.factories import make_user
from tests.webapp.browsers import ALLAUTH, API, Browser
from tests.webapp.identity_provider import CLIENT_ID, Provider, provider
from webapp.accounts.models import User
from webapp.settings.env import SignUp

REDIRECT = f"{ALLAUTH}auth/provider/redirect"
CALLBACK = "/accounts/oidc/sso/login/callback/"
ME = f"{API}auth/me/"


@pytest.fixture
def issuer(db: None, settings: Settings) -> Iterator[Provider]:
    cache.clear()
    with provider() as running:
        app = {
            "provider_id": "sso",
            "name": "Test",
            "client_id": CLIENT_ID,
            "secret": "s",
            "settings": {"server_url": running.url},
        }
        settings.SOCIALACCOUNT_PROVIDERS = {
            "openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}
        }
        yield running


def go(browser: Browser, *, process: str = "login") -> dict[str, list[str]]:
    """Press the button; return what the provider is asked."""
    form = {"provider": "sso", "callback_url": "/sign-in", "process": process}
    browser.get(f"{API}auth/csrf/")
    token = browser.client.cookies["csrftoken"].value
    answer = browser.client.post(REDIRECT, form, headers={"X-CSRFToken": token})
    assert answer.status_code == 302, answer.content
    return parse_qs(urlsplit(answer.headers["Location"]).query)


def come_back(browser: Browser, asked: dict[str, list[str]]) -> str:
    """Return where the provider's answer leads to."""
    answer = browser.client.get(CALLBACK, {"code": "c", "state": asked["state"][0]})
    assert answer.status_code == 302, answer.content
    return str(answer.headers["Location"])


def sign_on(**_: Any) -> tuple[Browser, str]:
    browser = Browser()
    return browser, come_back(browser, go(browser))


def known(issuer: Provider) -> User:
    user = make_user()
    SocialAccount.objects.create(user=user, provider="sso", uid=issuer.subject)
    return user


def test_somebody_whom_we_know_comes_in(issuer: Provider) -> None:
    user = known(issuer)
    browser, where = sign_on()
    assert where == "/sign-in"
    assert browser.get(ME).json()["user"]["username"] == user.username


def test_the_exchange_is_bound_to_this_browser(issuer: Provider) -> None:
    known(issuer)
    browser = Browser()
    asked = go(browser)
    assert asked["code_challenge_method"] == ["S256"]
    thief = Browser()
    assert "problem=" in come_back(thief, asked)
    assert thief.get(ME).status_code == 401
    come_back(browser, asked)
    assert "code_verifier=" in issuer.seen_verifier[-1]


def test_strangers_stay_out_where_that_is_closed(issuer: Provider) -> None:
    browser, where = sign_on()
    assert where == "/sign-in?problem=no_account"
    assert browser.get(ME).status_code == 401
    assert not User.objects.filter(username="grace").exists()


def test_strangers_wait_for_an_approval(issuer: Provider, settings: Settings) -> None:
    settings.SIGN_UP = SignUp.APPROVAL
    browser, where = sign_on()
    assert where == "/sign-in?problem=awaiting_approval"
    user = User.objects.get(username="grace")
    assert (user.is_active, user.awaits_approval) == (False, True)
    assert browser.get(ME).status_code == 401
    user.is_active = True
    user.save()
    assert sign_on()[0].get(ME).status_code == 200


def test_strangers_come_in_where_that_is_open(issuer: Provider, settings: Settings) -> None:
    settings.SIGN_UP = SignUp.OPEN
    browser, _ = sign_on()
    assert browser.get(ME).json()["projects"] == []


def test_a_name_that_is_taken_gives_nobody_anothers_account(
    issuer: Provider, settings: Settings
) -> None:
    settings.SIGN_UP = SignUp.OPEN
    owner = make_user(username="grace", email="grace@example.org")
    browser, _ = sign_on()
    assert browser.get(ME).json()["user"]["id"] != str(owner.pk)


def test_a_token_for_somebody_else_is_not_believed(issuer: Provider) -> None:
    known(issuer)
    issuer.audience = "somebody else"
    browser, where = sign_on()
    assert "problem=" in where
    assert browser.get(ME).status_code == 401


@pytest.mark.parametrize("query", ["", "?code=c", "?code=c&state=made-up", "?error=access_denied"])
@pytest.mark.parametrize("name", ["sso", "unknown"])
def test_an_answer_that_nobody_asked_for_opens_nothing(
    issuer: Provider, name: str, query: str
) -> None:
    browser = Browser()
    answer = browser.get(f"/accounts/oidc/{name}/login/callback/{query}")
    assert answer.status_code in (302, 404), answer.content
    assert browser.get(ME).status_code == 401


@pytest.mark.parametrize("form", [{}, {"provider": "unknown"}, {"provider": "sso"}])
def test_the_button_cannot_be_bent(issuer: Provider, form: dict[str, str]) -> None:
    browser = Browser()
    browser.get(f"{API}auth/csrf/")
    token = browser.client.cookies["csrftoken"].value
    for wanted in (form, {**form, "callback_url": "https://evil.example", "process": "login"}):
        answer = browser.client.post(REDIRECT, wanted, headers={"X-CSRFToken": token})
        assert answer.status_code < 500
        assert not answer.headers.get("Location", "").startswith(issuer.url)


def test_a_user_adds_the_provider_to_the_own_account(issuer: Provider) -> None:
    user = make_user()
    browser = Browser()
    browser.sign_in(user)
    come_back(browser, go(browser, process="connect"))
    assert SocialAccount.objects.get().user == user
    assert sign_on()[0].get(ME).json()["user"]["username"] == user.username


def test_the_button_is_offered_where_there_is_a_provider(db: None) -> None:
    options = Browser().get(f"{API}auth/options/").json()
    assert options == {
        "single_sign_on": None,
        "may_request": False,
        "passkeys": True,
        "mails_invitations": False,
    }

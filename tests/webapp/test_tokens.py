"""Tokens for programs: named, shown once, hashed, expiring, revocable, and one's own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from tests.webapp.conftest import signed_in
from webapp.accounts.models import ApiToken, User
from webapp.accounts.services import create_token

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
    ],
)
def test_wrong_wishes_are_refused_by_field(
    api: APIClient, body: dict[str, Any], field: str
) -> None:
    answer = api.post(URL, {"name": "x", **body})
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [field]


def test_a_switched_off_users_token_opens_nothing(editor: User) -> None:
    _, token = create_token(user=editor, name="x", lifetime=timedelta(days=1))
    User.objects.filter(pk=editor.pk).update(is_active=False)
    assert with_token(token).get(ME).status_code == 401

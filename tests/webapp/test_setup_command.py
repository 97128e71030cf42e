"""Set-up: the first administrator is made once, and the password shown once."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pydantic import SecretStr
from pytest_django import Settings
from rest_framework.test import APIClient

from webapp.accounts.models import Membership, Project, User
from webapp.accounts.roles import Role

pytestmark = pytest.mark.django_db


def set_up(**options: Any) -> str:
    out = StringIO()
    call_command("setup_roundhouse", stdout=out, **options)
    return out.getvalue()


def with_password(settings: Settings, password: str | None) -> None:
    secret = None if password is None else SecretStr(password)
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"admin_password": secret})


def test_a_password_is_made_up_and_shown(settings: Settings) -> None:
    with_password(settings, None)
    text = set_up()
    found = re.search(r"password: (\S+)", text)
    assert found
    user = User.objects.get()
    assert user.check_password(found[1])
    assert (user.username, user.is_superuser) == ("admin", True)
    assert Membership.objects.get(user=user).role == Role.ADMIN


def test_a_given_password_is_used_and_not_shown(settings: Settings) -> None:
    with_password(settings, "a long enough secret")
    assert "secret" not in set_up()
    assert User.objects.get().check_password("a long enough secret")


def test_doing_it_again_changes_nothing(settings: Settings) -> None:
    with_password(settings, "a long enough secret")
    set_up(migrate=True, verbosity=0)
    with_password(settings, "quite another secret")
    assert "password:" not in set_up()
    assert User.objects.get().check_password("a long enough secret")
    assert Project.objects.count() == 1


def test_a_weak_password_is_refused_and_nothing_is_made(settings: Settings) -> None:
    with_password(settings, "admin")
    with pytest.raises(CommandError, match="ROUNDHOUSE_ADMIN_PASSWORD"):
        set_up()
    assert not User.objects.exists()
    assert not Project.objects.exists()


def test_a_token_can_be_made_from_the_command_line(settings: Settings) -> None:
    with_password(settings, "a long enough secret")
    set_up()
    out = StringIO()
    call_command("create_token", "admin", "for the demo", stdout=out)
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {out.getvalue().strip()}")
    assert api.get("/api/v1/auth/me/").json()["projects"][0]["role"] == "admin"


def test_a_token_for_nobody_is_refused() -> None:
    with pytest.raises(CommandError, match="no active user"):
        call_command("create_token", "ghost", "x")

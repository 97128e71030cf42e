"""Coming in: by a link, by asking, and what an operator has to say to it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.utils import timezone
from rest_framework.test import APIClient

from tests.factories import make_member, make_user
from tests.webapp.browsers import API, Browser
from tests.webapp.conftest import signed_in
from webapp.accounts.models import AuditEntry, Invitation, Project, User
from webapp.accounts.roles import Role
from webapp.settings.env import SignUp

ACCEPT = f"{API}invitations/accept/"
PREVIEW = f"{API}invitations/preview/"
REQUEST = f"{API}auth/request/"
NEW = {"username": "grace", "password": "a quite different sentence"}


@pytest.fixture(autouse=True)
def _no_attempts_yet() -> None:
    cache.clear()


@pytest.fixture
def admin(project: Project) -> APIClient:
    return signed_in(make_member(project, Role.ADMIN, username="ada"))


def invited(admin: APIClient, project: Project, **body: Any) -> dict[str, Any]:
    made = admin.post(f"{API}projects/{project.pk}/invitations/", {"role": "viewer", **body})
    assert made.status_code == 201, made.content
    found: dict[str, Any] = made.json()
    return found


def test_an_invitation_makes_an_account_a_member_and_signs_it_in(
    admin: APIClient, project: Project
) -> None:
    code = invited(admin, project)["code"]
    browser = Browser()
    seen = browser.post(PREVIEW, {"code": code}).json()
    assert (seen["project"], seen["role"], seen["invited_by"]) == (project.name, "viewer", "ada")
    answer = browser.post(ACCEPT, {"code": code, "account": NEW})
    assert answer.status_code == 200, answer.content
    me = browser.get(f"{API}auth/me/").json()
    assert me["user"]["username"] == "grace"
    assert me["projects"] == [{"id": str(project.pk), "name": project.name, "role": "viewer"}]


def test_an_invitation_works_once(admin: APIClient, project: Project) -> None:
    code = invited(admin, project)["code"]
    assert Browser().post(ACCEPT, {"code": code, "account": NEW}).status_code == 200
    other = {**NEW, "username": "joan"}
    assert Browser().post(ACCEPT, {"code": code, "account": other}).status_code == 404


def test_somebody_who_is_signed_in_joins_with_the_own_account(
    admin: APIClient, project: Project, stranger: User
) -> None:
    code = invited(admin, project, role="editor")["code"]
    browser = Browser()
    browser.sign_in(stranger)
    assert browser.post(ACCEPT, {"code": code}).status_code == 200
    assert stranger.memberships.get(project=project).role == "editor"


def test_who_belongs_to_the_project_does_not_use_the_link_up(
    admin: APIClient, project: Project, viewer: User
) -> None:
    code = invited(admin, project, role="admin")["code"]
    browser = Browser()
    browser.sign_in(viewer)
    answer = browser.post(ACCEPT, {"code": code})
    assert (answer.status_code, answer.json()["code"]) == (409, "already_member")
    assert viewer.memberships.get(project=project).role == "viewer"
    assert Invitation.objects.exists()


def test_codes_are_stored_hashed_and_shown_once(admin: APIClient, project: Project) -> None:
    code = invited(admin, project, note="for Grace")["code"]
    (row,) = Invitation.objects.values()
    assert code not in str(row)
    (listed,) = admin.get(f"{API}projects/{project.pk}/invitations/").json()["results"]
    assert "code" not in listed
    assert listed["note"] == "for Grace"


@pytest.mark.parametrize("how", ["old", "withdrawn", "made by somebody switched off", "wrong"])
def test_an_invitation_that_is_not_valid_opens_nothing(
    admin: APIClient, project: Project, how: str
) -> None:
    made = invited(admin, project)
    code = made["code"]
    if how == "old":
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif how == "withdrawn":
        url = f"{API}projects/{project.pk}/invitations/{made['id']}/"
        assert admin.delete(url).status_code == 204
    elif how == "wrong":
        code = code[:-1] + ("a" if code[-1] != "a" else "b")
    else:
        User.objects.filter(username="ada").update(is_active=False)
    assert Browser().post(PREVIEW, {"code": code}).status_code == 404
    assert Browser().post(ACCEPT, {"code": code, "account": NEW}).status_code == 404
    assert not User.objects.filter(username="grace").exists()


@pytest.mark.parametrize(
    ("account", "field"),
    [
        ({"username": "ADA", "password": NEW["password"]}, "username"),
        ({"username": "a b", "password": NEW["password"]}, "account.username"),
        ({"username": "grace", "password": "password"}, "password"),
        (None, "account"),
    ],
)
def test_a_wrong_wish_for_an_account_names_the_field_and_leaves_the_link(
    admin: APIClient, project: Project, account: dict[str, str] | None, field: str
) -> None:
    code = invited(admin, project)["code"]
    answer = Browser().post(ACCEPT, {"code": code, "account": account})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])
    assert Invitation.objects.exists()


def test_the_link_is_mailed_to_whom_it_is_for(
    admin: APIClient, project: Project, settings: Any
) -> None:
    settings.EMAIL_HOST_IS_SET = True
    made = invited(admin, project, email="grace@example.org")
    assert (made["is_mailed"], made["note"]) == (True, "grace@example.org")
    (message,) = mail.outbox
    assert (message.to, message.subject) == (["grace@example.org"], f"Invitation to {project.name}")
    link = f"http://testserver/invitation#{made['code']}"
    assert link in message.body.splitlines()
    said = AuditEntry.objects.get(action="invitation.create").after
    assert said["email"] == "grace@example.org"
    assert made["code"] not in str(said)


def test_a_mail_that_cannot_be_sent_leaves_the_invitation(
    admin: APIClient, project: Project, settings: Any
) -> None:
    settings.EMAIL_HOST_IS_SET = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    made = invited(admin, project, email="grace@example.org", note="for Grace")
    assert (made["is_mailed"], made["note"]) == (False, "for Grace")
    assert Browser().post(ACCEPT, {"code": made["code"], "account": NEW}).status_code == 200


@pytest.mark.parametrize("has_mail", [False, True])
def test_an_address_that_cannot_be_mailed_to_is_refused(
    admin: APIClient, project: Project, settings: Any, *, has_mail: bool
) -> None:
    settings.EMAIL_HOST_IS_SET = has_mail
    email = "grace@example.org\nBcc: all@example.org" if has_mail else "grace@example.org"
    answer = admin.post(f"{API}projects/{project.pk}/invitations/", {"email": email})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["email"])
    assert not Invitation.objects.exists()
    assert mail.outbox == []


def test_nobody_has_many_mails_sent(admin: APIClient, project: Project, settings: Any) -> None:
    settings.EMAIL_HOST_IS_SET = True
    url = f"{API}projects/{project.pk}/invitations/"
    statuses = [admin.post(url, {"email": "a@example.org"}).status_code for _ in range(31)]
    assert statuses == [*[201] * 30, 429]
    assert admin.post(url, {}).status_code == 201


def test_only_administrators_of_the_project_invite(project: Project, editor: User) -> None:
    url = f"{API}projects/{project.pk}/invitations/"
    assert signed_in(editor).post(url, {}).status_code == 403


def test_nobody_asks_for_an_account_where_that_is_closed(db: None) -> None:
    answer = Browser().post(REQUEST, NEW)
    assert (answer.status_code, answer.json()["code"]) == (403, "sign_up_closed")


def test_an_account_that_was_asked_for_waits_for_an_operator(db: None, settings: Any) -> None:
    settings.SIGN_UP = SignUp.APPROVAL
    assert Browser().post(REQUEST, NEW).status_code == 202
    user = User.objects.get(username="grace")
    browser = Browser()
    assert browser.sign_in(user, NEW["password"]).status_code == 401
    operator = signed_in(make_user(is_superuser=True))
    (row,) = operator.get(f"{API}users/?awaits_approval=true").json()["results"]
    assert row["username"] == "grace"
    approved = operator.patch(f"{API}users/{row['id']}/", {"is_active": True})
    assert (approved.status_code, approved.json()["awaits_approval"]) == (200, False)
    assert browser.sign_in(user, NEW["password"]).status_code == 200
    assert AuditEntry.objects.get(action="user.change").after == {
        "is_active": True,
        "awaits_approval": False,
    }


def test_switching_somebody_off_ends_the_sessions(db: None) -> None:
    user = make_user()
    browser = Browser()
    browser.sign_in(user)
    operator = make_user(is_superuser=True)
    api = signed_in(operator)
    assert api.patch(f"{API}users/{user.pk}/", {"is_active": False}).status_code == 200
    assert browser.get(f"{API}auth/me/").status_code == 401
    own = api.patch(f"{API}users/{operator.pk}/", {"is_active": False})
    assert own.status_code == 409

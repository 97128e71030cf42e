"""Sites come in by a code, are let in by a person, prove every request, and can be put out."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from fedcore.sites import routes
from fedcore.sites.signing import MAX_SKEW_S, NONCE_LIFE_S, prove_rotation, public_key_of
from tests.factories import make_member
from tests.webapp.conftest import signed_in
from tests.webapp.site_agents import API, approved, enrolled, enrolment, invited
from webapp.accounts.models import AuditEntry, Project, User
from webapp.accounts.roles import Role
from webapp.jobs.clock import database_now
from webapp.sites import services
from webapp.sites.models import Site, SiteNonce


@pytest.fixture(autouse=True)
def _no_requests_yet() -> None:
    cache.clear()


@pytest.fixture
def admin(project: Project) -> User:
    return make_member(project, Role.ADMIN, username="ada")


def enrol(content: dict[str, Any]) -> Any:
    return Client().post(routes.ENROL, json.dumps(content), content_type="application/json")


def test_a_site_is_invited_enrols_is_approved_and_is_heard(admin: User, project: Project) -> None:
    agent = enrolled(admin, project)
    shown = agent.get(routes.STATUS).json()
    assert (shown["state"], shown["name"], shown["project"]) == ("pending", "north", project.name)
    assert agent.beat().status_code == 200
    assert agent.get(routes.TASKS).json()["code"] == "site_not_approved"
    seen = signed_in(admin).get(f"{API}sites/{agent.site_id}/").json()
    assert seen["fingerprint"] == shown["fingerprint"]
    assert (seen["presence"], seen["allowed_actions"]) == ("online", ["approve", "revoke"])
    assert seen["datasets"][0]["declaration"]["num_train"] == 40
    assert signed_in(admin).post(f"{API}sites/{agent.site_id}/approve/").status_code == 200
    assert agent.tasks() == []
    actions = [(e.action, e.actor_name) for e in AuditEntry.objects.order_by("at", "id")]
    assert actions == [
        ("site.invite", "ada"),
        ("site.enrol", "site north"),
        ("site.declare_dataset", "site north"),
        ("site.approve", "ada"),
    ]
    history = signed_in(admin).get(f"{API}sites/{agent.site_id}/history/").json()["results"]
    assert [entry["action"] for entry in history] == [action for action, _ in reversed(actions)]


def test_a_code_is_stored_hashed_shown_once_and_good_once(admin: User, project: Project) -> None:
    code = invited(admin, project)["code"]
    assert code not in str(Site.objects.values().get())
    assert "code" not in signed_in(admin).get(f"{API}sites/").json()["results"][0]
    assert enrol(enrolment(code, Ed25519PrivateKey.generate())).status_code == 201
    again = enrol(enrolment(code, Ed25519PrivateKey.generate()))
    assert (again.status_code, again.json()["code"]) == (404, "enrolment_code_invalid")


@pytest.mark.parametrize("how", ["old", "renewed", "revoked", "wrong"])
def test_a_code_that_is_not_valid_opens_nothing(admin: User, project: Project, how: str) -> None:
    made, api = invited(admin, project), signed_in(admin)
    code = made["code"]
    if how == "old":
        Site.objects.update(code_expires_at=timezone.now() - timedelta(seconds=1))
    elif how == "renewed":
        renewed = api.post(f"{API}sites/{made['id']}/invitation/", {})
        assert renewed.status_code == 201
        assert renewed.json()["code"] != code
    elif how == "revoked":
        assert api.post(f"{API}sites/{made['id']}/revoke/", {}).status_code == 200
    else:
        code = code[:-1] + ("a" if code[-1] != "a" else "b")
    assert enrol(enrolment(code, Ed25519PrivateKey.generate())).status_code == 404


def test_a_key_must_be_proven_and_the_code_stays_good(admin: User, project: Project) -> None:
    code, key = invited(admin, project)["code"], Ed25519PrivateKey.generate()
    foreign = public_key_of(Ed25519PrivateKey.generate())
    answer = enrol(enrolment(code, key, public_key=foreign))
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")
    assert enrol(enrolment(code, key)).status_code == 201


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"protocol": 2}, "protocol"),
        ({"public_key": "12"}, "public_key"),
        ({"rows": []}, "rows"),
        ({"hardware": {"cores": 0, "memory_bytes": 1}}, "hardware.cores"),
        ({"code": "x"}, "code"),
    ],
)
def test_a_bad_enrolment_names_the_field(
    admin: User, project: Project, change: dict[str, Any], field: str
) -> None:
    code = invited(admin, project)["code"]
    answer = enrol({**enrolment(code, Ed25519PrivateKey.generate()), **change})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])


def test_only_administrators_invite_approve_and_revoke(
    admin: User, project: Project, editor: User, stranger: User
) -> None:
    agent = enrolled(admin, project)
    for path in (f"projects/{project.pk}/sites/", f"sites/{agent.site_id}/approve/"):
        assert signed_in(editor).post(f"{API}{path}", {"name": "x"}).status_code == 403
        assert signed_in(stranger).post(f"{API}{path}", {"name": "x"}).status_code == 404
    assert signed_in(editor).get(f"{API}sites/{agent.site_id}/").json()["allowed_actions"] == []


def test_names_are_taken_once_per_project_whatever_their_case(
    admin: User, project: Project
) -> None:
    invited(admin, project, "North")
    answer = signed_in(admin).post(f"{API}projects/{project.pk}/sites/", {"name": "north"})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["name"])


def test_requests_without_a_signature_are_nobodys(admin: User, project: Project) -> None:
    for path in (routes.STATUS, routes.TASKS):
        assert Client().get(path).status_code == 401
        assert signed_in(admin).get(path).status_code == 403
    assert Client().post(routes.HEARTBEAT, "{}", content_type="application/json").status_code == 401


def test_a_signature_is_good_for_its_own_request_once(admin: User, project: Project) -> None:
    agent = approved(admin, project)
    credential = agent.credential("GET", routes.STATUS)
    assert agent.ask("GET", routes.STATUS, credential=credential).status_code == 200
    again = agent.ask("GET", routes.STATUS, credential=credential)
    assert (again.status_code, again.json()["code"]) == (401, "replayed")
    other = agent.ask("GET", routes.TASKS, credential=agent.credential("GET", routes.STATUS))
    assert (other.status_code, other.json()["code"]) == (401, "bad_signature")
    changed = agent.credential("POST", routes.HEARTBEAT, b"{}")
    answer = agent.ask("POST", routes.HEARTBEAT, b'{"a":1}', credential=changed)
    assert answer.json()["code"] == "bad_signature"
    unknown = replace(agent.credential("GET", routes.STATUS), site_id=uuid4())
    assert agent.ask("GET", routes.STATUS, credential=unknown).json()["code"] == "bad_signature"


@pytest.mark.parametrize("by", [MAX_SKEW_S + 5, -MAX_SKEW_S - 5])
def test_a_clock_that_is_off_is_told_the_time(admin: User, project: Project, by: int) -> None:
    agent = approved(admin, project)
    now = int(database_now().timestamp())
    within = agent.credential("GET", routes.STATUS, time=now + (by // abs(by)) * (MAX_SKEW_S - 5))
    assert agent.ask("GET", routes.STATUS, credential=within).status_code == 200
    answer = agent.ask(
        "GET", routes.STATUS, credential=agent.credential("GET", routes.STATUS, time=now + by)
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "clock_skew")


def test_nonces_are_forgotten_when_they_could_not_be_shown_again(
    admin: User, project: Project
) -> None:
    approved(admin, project)
    assert SiteNonce.objects.exists()
    services.reconcile_sites(now=database_now())
    assert SiteNonce.objects.exists()
    services.reconcile_sites(now=database_now() + timedelta(seconds=NONCE_LIFE_S + 1))
    assert not SiteNonce.objects.exists()


def test_a_revoked_site_is_refused_at_once_and_for_good(admin: User, project: Project) -> None:
    agent = approved(admin, project)
    revoked = signed_in(admin).post(f"{API}sites/{agent.site_id}/revoke/", {"reason": "left"})
    assert (revoked.status_code, revoked.json()["allowed_actions"]) == (200, [])
    for answer in (agent.get(routes.STATUS), agent.get(routes.TASKS), agent.beat()):
        assert (answer.status_code, answer.json()["code"]) == (403, "site_revoked")
    assert signed_in(admin).post(f"{API}sites/{agent.site_id}/approve/").status_code == 409
    assert AuditEntry.objects.get(action="site.revoke").after["reason"] == "left"


def test_a_key_is_rotated_with_the_old_one_and_then_good_alone(
    admin: User, project: Project
) -> None:
    agent = approved(admin, project)
    new = Ed25519PrivateKey.generate()
    wrong = {"public_key": public_key_of(new), "proof": prove_rotation(new, uuid4())}
    assert agent.post(routes.KEY, wrong).json()["code"] == "bad_signature"
    right = {"public_key": public_key_of(new), "proof": prove_rotation(new, agent.site_id)}
    assert agent.post(routes.KEY, right).status_code == 200
    assert agent.get(routes.STATUS).json()["code"] == "bad_signature"
    agent.key = new
    assert agent.get(routes.STATUS).status_code == 200
    entry = AuditEntry.objects.get(action="site.rotate_key")
    assert entry.before["fingerprint"] != entry.after["fingerprint"]
    assert entry.credential == "signature"


def test_what_a_site_declares_replaces_what_it_has_declared(admin: User, project: Project) -> None:
    agent = approved(admin, project)
    count = AuditEntry.objects.count()
    assert agent.beat().status_code == 200
    assert AuditEntry.objects.count() == count, "saying the same again is no news"
    assert agent.beat(datasets=[]).status_code == 200
    assert not agent.row.datasets.exists()
    assert AuditEntry.objects.filter(action="site.withdraw_dataset").exists()


def test_a_bad_heartbeat_names_the_field_and_changes_nothing(admin: User, project: Project) -> None:
    agent = approved(admin, project)
    answer = agent.beat(datasets=[{"name": "heart", "num_train": -1, "num_test": 0}])
    assert list(answer.json()["fields"]) == ["datasets.0.num_train"]
    assert agent.row.datasets.get().declaration["num_train"] == 40


def test_a_site_that_says_nothing_for_long_is_offline(admin: User, project: Project) -> None:
    agent = approved(admin, project)
    Site.objects.update(last_seen_at=timezone.now() - timedelta(hours=1))
    seen = signed_in(admin).get(f"{API}sites/{agent.site_id}/").json()
    assert seen["presence"] == "offline"


def test_one_site_cannot_ask_without_end(admin: User, project: Project, settings: Any) -> None:
    agent = approved(admin, project)
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "sites": 3}
    answers = [agent.get(routes.STATUS).status_code for _ in range(5)]
    assert answers[-1] == 429

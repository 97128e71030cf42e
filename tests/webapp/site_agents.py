"""A site as the tests of the web application have it: a key, and signed requests by hand."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import Client

from fedcore.sites import routes
from fedcore.sites.signing import Credential, Request, prove_enrolment, public_key_of
from tests.webapp.conftest import signed_in
from webapp.accounts.models import Project, User
from webapp.jobs.clock import database_now
from webapp.sites.models import Site

API = "/api/v1/"
AGENT = {"version": "0.1.0", "python": "3.11"}
HARDWARE = {"cores": 2, "memory_bytes": 1 << 30}
COLUMNS = [{"name": "age", "kind": "number"}, {"name": "disease", "kind": "category"}]


def declared(num_train: int = 40, num_test: int = 10) -> dict[str, Any]:
    return {"name": "heart", "num_train": num_train, "num_test": num_test, "columns": COLUMNS}


@dataclass
class Agent:
    """A site that has enrolled."""

    site_id: UUID
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    client: Client = field(default_factory=Client)

    @property
    def row(self) -> Site:
        return Site.objects.get(pk=self.site_id)

    def credential(
        self, method: str, target: str, body: bytes = b"", time: int | None = None
    ) -> Credential:
        now = int(database_now().timestamp()) if time is None else time
        return Request(method, target, body).signed_by(self.key, self.site_id, time=now)

    def ask(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        *,
        content_type: str = "application/json",
        credential: Credential | None = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        signed = credential or self.credential(method, target, body)
        return self.client.generic(
            method,
            target,
            body,
            content_type=content_type,
            headers={"Authorization": signed.to_header(), **(headers or {})},
        )

    def get(self, target: str, **headers: str) -> Any:
        return self.ask("GET", target, headers=headers)

    def post(self, target: str, body: dict[str, Any] | None = None) -> Any:
        return self.ask("POST", target, json.dumps(body or {}).encode())

    def beat(self, **changes: Any) -> Any:
        content = {
            "protocol": 1,
            "state": "idle",
            "sequence": 0,
            "agent": AGENT,
            "hardware": HARDWARE,
            "datasets": [declared()],
            **changes,
        }
        return self.post(routes.HEARTBEAT, content)

    def tasks(self) -> list[dict[str, Any]]:
        answer = self.get(routes.TASKS)
        assert answer.status_code == 200, answer.content
        found: list[dict[str, Any]] = answer.json()["tasks"]
        return found

    def upload(self, task_id: UUID, payload: bytes, piece_bytes: int = 1 << 20) -> Any:
        answer = None
        for offset in range(0, len(payload), piece_bytes):
            answer = self.put(task_id, offset, payload[offset : offset + piece_bytes])
        return answer

    def put(self, task_id: UUID, offset: int, piece: bytes) -> Any:
        target = f"{routes.upload(task_id)}?offset={offset}"
        return self.ask("PUT", target, piece, content_type="application/octet-stream")

    def finish(self, task_id: UUID, payload: bytes, **changes: Any) -> Any:
        content = {
            "sha256": hashlib.sha256(payload).hexdigest(),
            "size_bytes": len(payload),
            "seconds": 0.5,
            "num_examples": 40,
            **changes,
        }
        return self.post(routes.result(task_id), content)


def invited(admin: User, project: Project, name: str = "north") -> dict[str, Any]:
    answer = signed_in(admin).post(f"{API}projects/{project.pk}/sites/", {"name": name})
    assert answer.status_code == 201, answer.content
    found: dict[str, Any] = answer.json()
    return found


def enrolment(code: str, key: Ed25519PrivateKey, **changes: Any) -> dict[str, Any]:
    return {
        "protocol": 1,
        "code": code,
        "public_key": public_key_of(key),
        "proof": prove_enrolment(key, code),
        "agent": AGENT,
        "hardware": HARDWARE,
        **changes,
    }


def enrolled(admin: User, project: Project, name: str = "north") -> Agent:
    code, key = invited(admin, project, name)["code"], Ed25519PrivateKey.generate()
    content = json.dumps(enrolment(code, key))
    answer = Client().post(routes.ENROL, content, content_type="application/json")
    assert answer.status_code == 201, answer.content
    return Agent(UUID(answer.json()["site_id"]), key)


def approved(admin: User, project: Project, name: str = "north") -> Agent:
    """Return a site that takes part and has declared its data set."""
    agent = enrolled(admin, project, name)
    answer = signed_in(admin).post(f"{API}sites/{agent.site_id}/approve/")
    assert answer.status_code == 200, answer.content
    assert agent.beat().status_code == 200
    return agent

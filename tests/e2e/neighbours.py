"""Sites whose machines say who they are and what they have, and are not asked for more."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fedcore.sites import routes
from fedcore.sites.signing import Request, prove_enrolment, public_key_of
from tests.faults.stack import PASSWORD, Stack
from webapp.client import Client

_AGENT = {"version": "0.1.0", "python": "3.11.2", "torch": "2.8.0"}
_HARDWARE = {"cores": 16, "memory_bytes": 64 << 30, "disk_free_bytes": 1 << 40, "system": "Linux"}
HEART = (
    {"name": "age", "kind": "number", "mean": 54.4, "std": 9.0},
    {"name": "pressure", "kind": "number", "mean": 131.6, "std": 17.5, "has_missing": True},
    {"name": "sex", "kind": "category", "values": ["0", "1"]},
    {"name": "notes", "kind": "text"},
    {"name": "disease", "kind": "category", "values": ["no", "yes"]},
)


@dataclass(frozen=True)
class Neighbour:
    """What a site says of itself."""

    name: str
    num_train: int = 242
    num_test: int = 61
    columns: tuple[dict[str, Any], ...] = HEART
    policy: dict[str, Any] = field(default_factory=dict)

    @property
    def heartbeat(self) -> dict[str, Any]:
        heart = {
            "name": "heart",
            "title": "Heart disease",
            "num_train": self.num_train,
            "num_test": self.num_test,
            "columns": self.columns,
        }
        document = {"projects": "any", "approval": "automatic", **self.policy}
        rules = [{"name": "projects", "sentence": "Any project."}]
        return {
            "protocol": 1,
            "state": "idle",
            "sequence": 0,
            "agent": _AGENT,
            "hardware": _HARDWARE,
            "datasets": [heart] if self.columns else [],
            "policy": {"document": document, "rules": rules},
        }


@dataclass(frozen=True)
class Settled:
    """A project, and its sites by id, in their order."""

    project: str
    sites: list[str]


def settle(stack: Stack, *neighbours: Neighbour) -> Settled:
    """Invite, enrol and approve sites, and let each be heard of once."""
    with Client(stack.url) as client:
        token = client.create_token(
            username="admin", password=PASSWORD, name="sites", expires_in_days=1, scope="admin"
        ).token
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=stack.url, headers=headers, timeout=30) as api:
        project = _read(api.get("/api/v1/projects/"))["results"][0]["id"]
        return Settled(project, [_settle(api, project, stack.url, each) for each in neighbours])


def _settle(api: httpx.Client, project: str, url: str, site: Neighbour) -> str:
    invited = _read(api.post(f"/api/v1/projects/{project}/sites/", json={"name": site.name}))
    key = Ed25519PrivateKey.generate()
    enrolment = {
        "protocol": 1,
        "code": invited["code"],
        "public_key": public_key_of(key),
        "proof": prove_enrolment(key, invited["code"]),
        "agent": _AGENT,
        "hardware": _HARDWARE,
    }
    site_id: str = _read(httpx.post(url + routes.ENROL, json=enrolment))["site_id"]
    _read(api.post(f"/api/v1/sites/{site_id}/approve/"))
    body = json.dumps(site.heartbeat).encode()
    request = Request("POST", routes.HEARTBEAT, body)
    signed = request.signed_by(key, UUID(site_id), time=int(time.time()))
    _read(
        httpx.post(
            url + routes.HEARTBEAT,
            content=body,
            headers={"Authorization": signed.to_header(), "Content-Type": "application/json"},
        )
    )
    return site_id


def _read(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()

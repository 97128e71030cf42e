"""Both sides of a secure sum talking directly: what sites keep on disk, what the server stores."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fedcore.agent.sums import Sums
from fedcore.secagg import Ring, Session, documents
from fedcore.secagg.gathering import Gathering
from fedcore.secagg.ring import Words
from fedcore.secagg.subject import Subject
from fedcore.sites.policy import Policy
from fedcore.sites.secure import KeyList, Survivors
from fedcore.sites.signing import public_key_of
from fedcore.sites.tasks import Blob, Member, RunDescription, Task, TaskKind

LENGTH = 40
RING = Ring(4.0, 128)
MODEL = b"the model"
OPEN = "{projects: any}"
DIGEST = "d" * 64


def vectors_of(clients: int) -> dict[int, Words]:
    """Return what each client would send in the clear: words of the ring."""
    draw = np.random.default_rng(clients)
    return {n: RING.encode(draw.normal(size=LENGTH)) for n in range(clients)}


def added(vectors: Mapping[int, Words], ids: Collection[int]) -> Words:
    total = np.zeros(LENGTH, "<u4")
    for client in ids:
        total += vectors[client]
    return total


def reading(masked: Mapping[int, bytes]) -> list[tuple[int, Callable[[], bytes]]]:
    """Return what reads each client's masked vector."""
    return [(client, partial(bytes, payload)) for client, payload in masked.items()]


@dataclass
class Exchange:
    """A run with some sites, of which secure sums are made."""

    folder: Path
    clients: int = 5
    least: int = 3
    policy: str = OPEN
    run_id: UUID = field(default_factory=uuid4)
    number: int = 1
    stored: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.keys = [Ed25519PrivateKey.generate() for _ in range(self.clients)]
        self.vectors = vectors_of(self.clients)
        self.described = RunDescription(
            run_id=self.run_id,
            name="heart",
            project="heart",
            launched_by="ada",
            spec={},
            spec_digest=DIGEST,
            members=tuple(
                Member(client_id=n, site_id=uuid4(), name=f"s{n}", public_key=public_key_of(key))
                for n, key in enumerate(self.keys)
            ),
        )
        self.begin()

    def begin(self) -> None:
        """Let the server begin the next sum."""
        identities = {n: key.public_key().public_bytes_raw() for n, key in enumerate(self.keys)}
        session = Session(str(self.run_id), self.number)
        self.server = Gathering(session, identities, LENGTH, RING, self.least)

    @property
    def subject(self) -> bytes:
        """What the server has told everybody."""
        members = {n: key.public_key().public_bytes_raw() for n, key in enumerate(self.keys)}
        model = hashlib.sha256(MODEL).hexdigest()
        return Subject(model, DIGEST, 0, self.clients, members).digest()

    def site(self, client: int) -> Sums:
        """Return a site as it is after a restart: it knows what is on its disk."""
        folder = self.folder / str(client)
        return Sums(lambda _: folder, self.keys[client], Policy.parse(self.policy))

    def task(self, kind: TaskKind, client: int, message: bytes, size: int) -> Task:
        return Task(
            task_id=uuid4(),
            kind=kind,
            run_id=self.run_id,
            spec_digest=DIGEST,
            dataset="heart",
            round_index=0,
            client_id=client,
            cohort_size=self.clients,
            attempt=1,
            message=Blob(sha256=hashlib.sha256(message).hexdigest(), size_bytes=len(message)),
            opened_at=datetime.now(UTC),
            deadline_at=None,
            max_result_bytes=size,
            sum_number=self.number,
        )

    def ask(self, kind: TaskKind, client: int, message: bytes, **told: Any) -> bytes:
        """Return a site's answer to a stage; the server stores it.

        Args:
            kind: Of the stage.
            client: Which site.
            message: What is sent with the task.
            told: What the task says to this site alone.
        """
        task = self.task(kind, client, message, self._size(kind, client)).model_copy(update=told)
        if kind is TaskKind.KEYS:
            answer = self.site(client).begin(task, self.described, self.vectors[client].tobytes())
        else:
            answer = self.site(client).answer(task, self.described, message)
        assert len(answer) == task.max_result_bytes
        self.stored.append(answer)
        return answer

    def _size(self, kind: TaskKind, client: int) -> int:
        if kind is TaskKind.KEYS:
            return documents.KEYS_BYTES
        if kind is TaskKind.CONFIRM:
            return documents.CONFIRMED_BYTES
        if kind is TaskKind.MASKED:
            return 4 * LENGTH
        neighbours = self.server.degree_of(client)
        if kind is TaskKind.SHARES:
            return documents.shares_bytes(neighbours)
        return documents.unmasking_bytes(neighbours)

    # --- the stages, each without those who are lost in it ----------------------------------------

    def show_keys(self, lost: Collection[int] = ()) -> KeyList:
        answers = {
            n: self.ask(TaskKind.KEYS, n, MODEL) for n in range(self.clients) if n not in lost
        }
        return self.server.keys(answers, self.subject)

    def share(self, keys: KeyList, lost: Collection[int] = ()) -> dict[int, bytes]:
        message = documents.as_message(keys)
        clients = [one.client_id for one in keys.keys if one.client_id not in lost]
        inboxes = self.server.shares({n: self.ask(TaskKind.SHARES, n, message) for n in clients})
        return {n: documents.as_message(inbox) for n, inbox in inboxes.items()}

    def mask(self, inboxes: Mapping[int, bytes], lost: Collection[int] = ()) -> Survivors:
        masked = {
            n: self.ask(TaskKind.MASKED, n, inbox) for n, inbox in inboxes.items() if n not in lost
        }
        return self.server.vectors(reading(masked))[0]

    def confirm(self, survivors: Survivors, lost: Collection[int] = ()) -> Survivors:
        message = documents.as_message(survivors)
        clients = [n for n in survivors.client_ids if n not in lost]
        return self.server.confirmations(
            {n: self.ask(TaskKind.CONFIRM, n, message) for n in clients}
        )

    def unmask(self, signed: Survivors, lost: Collection[int] = ()) -> Words:
        message = documents.as_message(signed)
        clients = [one.client_id for one in signed.confirmations if one.client_id not in lost]
        return self.server.sum({n: self.ask(TaskKind.UNMASK, n, message) for n in clients})

    def play(self, lost: Mapping[TaskKind, Collection[int]] | None = None) -> Words:
        """Return the sum; some sites answer a stage, and those after it, no more."""
        gone = lost or {}
        inboxes = self.share(
            self.show_keys(gone.get(TaskKind.KEYS, ())), gone.get(TaskKind.SHARES, ())
        )
        survivors = self.mask(inboxes, gone.get(TaskKind.MASKED, ()))
        signed = self.confirm(survivors, gone.get(TaskKind.CONFIRM, ()))
        return self.unmask(signed, gone.get(TaskKind.UNMASK, ()))

"""Agents make secure sums with each other, whatever the server and the power supply do."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from fedcore.agent.config import Site, read_site
from fedcore.agent.parts import audit_log
from fedcore.engine import Answer, Engine, SecureSum
from fedcore.secagg import Session, documents
from fedcore.secagg.gathering import Gathering
from fedcore.secagg.subject import Subject
from fedcore.sites.signing import fingerprint
from fedcore.sites.tasks import Member, Refusal, TaskKind, TaskResult
from tests.sites.conftest import holdings_of, join, running, write_site
from tests.sites.pretended import Given, PretendedServer
from tests.sites.test_agent_rounds import spec_for

CLIENTS = (0, 1, 2, 3)


class Sum:
    """A round of four sites, whose agents run for one stage at a time."""

    def __init__(self, server: PretendedServer, sites: list[Site]) -> None:
        members = [join(server, site) for site in sites]
        runtime = {
            "placement": "sites",
            "sites": [member.name for member in members],
            "round_limit_s": 60,
            "min_updates": 4,
        }
        spec = spec_for(members, privacy={"secure_aggregation": True}, runtime=runtime)
        self.server, self.sites = server, sites
        self.engine: Engine = server.launch(spec, members, holdings_of(sites, members))
        self.spec = spec
        self.identities = {n: bytes.fromhex(m.public_key) for n, m in enumerate(members)}
        session = Session(str(server.run_id), 1)
        self.gathering: Gathering = self.engine.secure_sum(CLIENTS, session, self.identities)

    def ask(
        self, kind: TaskKind, messages: Mapping[int, bytes], size: Callable[[int], int]
    ) -> dict[int, Given]:
        """Start the agents, let them do a stage, and stop them."""
        given = {
            n: self.server.give(kind, n, self.engine, message, max_result_bytes=size(n))
            for n, message in messages.items()
        }
        with running(self.server, *(self.sites[n] for n in messages)):
            self.server.ended(list(given.values()))
        return given

    def keys(self) -> bytes:
        models = {one.client_id: one.payload for one in self.engine.assignments(CLIENTS)}
        given = self.ask(TaskKind.KEYS, models, lambda _: documents.KEYS_BYTES)
        task = given[0].task
        assert task.message is not None
        subject = Subject(
            model=task.message.sha256,
            spec=self.spec.digest(),
            round_index=0,
            cohort_size=len(CLIENTS),
            members=self.identities,
        )
        return documents.as_message(self.gathering.keys(uploaded(given), subject.digest()))

    def inboxes(self) -> dict[int, bytes]:
        messages = dict.fromkeys(CLIENTS, self.keys())
        given = self.ask(TaskKind.SHARES, messages, lambda _: documents.shares_bytes(3))
        inboxes = self.gathering.shares(uploaded(given))
        return {n: documents.as_message(inbox) for n, inbox in inboxes.items()}

    def masked(self, inboxes: dict[int, bytes]) -> dict[int, Given]:
        return self.ask(TaskKind.MASKED, inboxes, lambda _: 4 * self.gathering.length)

    def survivors(self) -> bytes:
        masked = uploaded(self.masked(self.inboxes()))
        reads = [(n, partial(bytes, payload)) for n, payload in masked.items()]
        return documents.as_message(self.gathering.vectors(reads)[0])


def uploaded(given: Mapping[int, Given]) -> dict[int, bytes]:
    assert all(isinstance(each.ending, TaskResult) for each in given.values()), given
    return {client: bytes(each.received) for client, each in given.items()}


def four(tmp_path: Path, **last: Any) -> list[Site]:
    others = [write_site(tmp_path / str(n), seed=n) for n in range(3)]
    return [*others, write_site(tmp_path / "3", seed=3, **last)]


def refusal_in(given: Given, site: Site) -> Refusal:
    """Return a refusal that is the same on both sides."""
    assert isinstance(given.ending, Refusal), given.ending
    (entry,) = [entry for entry in audit_log(site).latest(99) if entry.event == "task refused"]
    said = f"{given.ending.rule}: {given.ending.message} {given.ending.fix}"
    assert entry.facts["sentence"] == said
    return given.ending


def test_agents_that_are_started_anew_for_each_stage_make_the_sum(
    server: PretendedServer, tmp_path: Path
) -> None:
    secure = Sum(server, four(tmp_path))
    confirmed = secure.ask(
        TaskKind.CONFIRM,
        dict.fromkeys(CLIENTS, secure.survivors()),
        lambda _: documents.CONFIRMED_BYTES,
    )
    signed = documents.as_message(secure.gathering.confirmations(uploaded(confirmed)))
    size = documents.unmasking_bytes(3)
    given = secure.ask(TaskKind.UNMASK, dict.fromkeys(CLIENTS, signed), lambda _: size)
    words = secure.gathering.sum(uploaded(given))
    answers = dict.fromkeys(CLIENTS, Answer(status="ok", bytes_up=size))
    report = secure.engine.finish_on_sites(CLIENTS, SecureSum(words, answers), {})
    assert report.participants == 4
    assert 0 < report.metrics["train_loss"] < 1
    assert report.bytes_up == 4 * size
    assert audit_log(secure.sites[0]).check() > 10


def test_an_agent_that_starts_forgets_old_sums(server: PretendedServer, tmp_path: Path) -> None:
    secure = Sum(server, four(tmp_path))
    secure.keys()
    (memory,) = secure.sites[0].state_dir.glob("runs/*/sum/memory.json")
    os.utime(memory, (0, 0))
    with running(server, secure.sites[0]):
        pass
    assert json.loads(memory.read_text())["memory"] is None
    assert not (memory.parent / "vector").exists()


def test_a_server_that_asks_for_an_update_alone_is_refused(
    server: PretendedServer, tmp_path: Path
) -> None:
    secure = Sum(server, four(tmp_path))
    (one, *_) = secure.engine.assignments(CLIENTS)
    given = secure.ask(TaskKind.TRAIN, {0: one.payload}, lambda _: 10**6)[0]
    refusal = refusal_in(given, secure.sites[0])
    assert refusal.rule == "task"
    assert refusal.message == (
        "The run promises secure sums, and the task asks for an update alone."
    )
    assert not given.received


def test_shares_that_the_server_has_changed_are_refused_on_both_sides(
    server: PretendedServer, tmp_path: Path
) -> None:
    secure = Sum(server, four(tmp_path))
    inboxes = secure.inboxes()
    at = inboxes[0].index(b'"ciphertext":"') + 20
    other = b"1" if inboxes[0][at : at + 1] == b"0" else b"0"
    changed = {0: inboxes[0][:at] + other + inboxes[0][at + 1 :]}
    refusal = refusal_in(secure.masked(changed)[0], secure.sites[0])
    assert (refusal.rule, refusal.is_final) == ("secure_aggregation", False)
    assert "were changed on the way" in refusal.message


def test_a_sum_of_fewer_than_the_minimum_cohort_is_not_opened(
    server: PretendedServer, tmp_path: Path
) -> None:
    policy = "{projects: any, approval: automatic, min_cohort: 4}"
    secure = Sum(server, four(tmp_path, policy=policy))
    survivors = secure.survivors().replace(b"[0,1,2,3]", b"[1,2,3]")
    given = secure.ask(TaskKind.CONFIRM, {3: survivors}, lambda _: documents.CONFIRMED_BYTES)
    refusal = refusal_in(given[3], secure.sites[3])
    assert refusal.rule == "min_cohort"


@pytest.mark.parametrize("is_told", [True, False])
def test_a_site_that_was_told_its_peers_takes_no_others(
    server: PretendedServer, tmp_path: Path, *, is_told: bool
) -> None:
    sites = four(tmp_path)
    secure = Sum(server, sites)
    shown = [fingerprint(member.public_key) for member in server.members.values()]
    known = shown if is_told else [shown[0], shown[1], shown[3], ":".join(["abcd"] * 8)]
    listed = "".join(f'\n  - "{each}"' for each in known)
    config = tmp_path / "3" / "site.yaml"
    config.write_text(f"{config.read_text()}\npeers:{listed}\n")
    secure.sites[3] = read_site(config)
    (one, *_) = secure.engine.assignments(CLIENTS)
    given = secure.ask(TaskKind.KEYS, {3: one.payload}, lambda _: documents.KEYS_BYTES)[3]
    if is_told:
        assert isinstance(given.ending, TaskResult)
    else:
        refusal = refusal_in(given, secure.sites[3])
        assert refusal.rule == "peers"
        assert f"that of 'site-2' ({shown[2]}) is none of them" in refusal.message


@pytest.mark.parametrize(
    ("copied", "public_key", "said"),
    [
        (["public_key"], "", "Two sites of the run have the same key"),
        (["client_id"], "ab" * 32, "names a client or a site twice"),
        (["site_id"], "ab" * 32, "names a client or a site twice"),
        ([], "", "A site of the run has no key"),
    ],
)
def test_no_key_and_no_site_counts_as_several_members(
    server: PretendedServer, tmp_path: Path, copied: list[str], public_key: str, said: str
) -> None:
    secure = Sum(server, four(tmp_path))
    assert server.described is not None
    members = server.described.members
    made = Member(name="more", client_id=7, site_id=uuid4(), public_key=public_key)
    made = made.model_copy(update={name: getattr(members[2], name) for name in copied})
    server.described = server.described.model_copy(update={"members": (*members, made)})
    (one, *_) = secure.engine.assignments(CLIENTS)
    given = secure.ask(TaskKind.KEYS, {3: one.payload}, lambda _: documents.KEYS_BYTES)[3]
    assert said in refusal_in(given, secure.sites[3]).message

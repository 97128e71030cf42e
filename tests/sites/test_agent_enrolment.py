"""A site becomes one with a code, and keeps being one while its key is replaced."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fedcore.agent.audit import AuditLog
from fedcore.agent.connection import Connection, RejectedError, Signer, UnreachableError
from fedcore.agent.enrolment import enrol, rotate_key
from fedcore.agent.identity import IdentityError, IdentityStore
from fedcore.sites import routes
from fedcore.sites.messages import SiteState, SiteStatus
from fedcore.sites.signing import fingerprint
from tests.sites.pretended import ADDRESS, CODE, Fault, Member, PretendedServer


@pytest.fixture
def connection(server: PretendedServer) -> Iterator[Connection]:
    with Connection(ADDRESS, None, transport=server.transport) as connection:
        yield connection


@pytest.fixture
def audit(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path / "audit.jsonl")


def joined(connection: Connection, tmp_path: Path, audit: AuditLog) -> IdentityStore:
    enrol(CODE, connection, tmp_path, audit)
    return IdentityStore(tmp_path)


def only(server: PretendedServer) -> Member:
    (member,) = server.members.values()
    return member


def is_let_in(connection: Connection, store: IdentityStore) -> bool:
    identity = store.load()
    connection.sign_with(Signer(identity.site_id, store.key(identity.public_key)))
    return connection.get(routes.STATUS, SiteStatus).site_id == identity.site_id


def test_a_code_makes_an_identity_that_waits_for_approval(
    server: PretendedServer, connection: Connection, tmp_path: Path, audit: AuditLog
) -> None:
    reply = enrol(CODE, connection, tmp_path, audit)
    identity = IdentityStore(tmp_path).load()
    assert reply.state is SiteState.PENDING
    assert reply.fingerprint == fingerprint(identity.public_key)
    assert identity.public_key == only(server).public_key
    assert audit.latest(1)[0].facts["fingerprint"] == reply.fingerprint
    assert is_let_in(connection, IdentityStore(tmp_path))


def test_the_key_and_the_code_are_nowhere_but_where_they_belong(
    server: PretendedServer, connection: Connection, tmp_path: Path, audit: AuditLog
) -> None:
    sent: list[bytes] = []
    server.faults.append(lambda request: sent.append(request.content))
    store = joined(connection, tmp_path, audit)
    key = store.key(store.load().public_key).private_bytes_raw()
    assert key.hex().encode() not in b"".join(sent)
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert CODE.encode() not in kept


def test_a_code_that_is_not_good_leaves_no_key(
    connection: Connection, tmp_path: Path, audit: AuditLog
) -> None:
    with pytest.raises(RejectedError) as caught:
        enrol("another-code-0000", connection, tmp_path, audit)
    assert caught.value.said == "enrolment_code_invalid"
    assert not list(tmp_path.rglob("*.pem"))


def test_a_site_enrols_once(connection: Connection, tmp_path: Path, audit: AuditLog) -> None:
    joined(connection, tmp_path, audit)
    with pytest.raises(IdentityError, match="has enrolled as 'site-0'"):
        enrol(CODE, connection, tmp_path, audit)


def test_a_server_that_shows_another_key_is_not_believed(
    server: PretendedServer, connection: Connection, tmp_path: Path, audit: AuditLog
) -> None:
    other = "0000:" * 7 + "0000"

    def swap(request: httpx.Request) -> httpx.Response:
        server.faults.clear()
        content = server.answer(request).json()
        return httpx.Response(200, json=content | {"fingerprint": other})

    server.faults.append(swap)
    with pytest.raises(IdentityError, match="another key than this site's"):
        enrol(CODE, connection, tmp_path, audit)
    assert not IdentityStore(tmp_path).exists()


def test_a_new_key_replaces_the_old_one(
    server: PretendedServer, connection: Connection, tmp_path: Path, audit: AuditLog
) -> None:
    store = joined(connection, tmp_path, audit)
    old = store.load().public_key
    rotated = rotate_key(connection, store, audit)
    assert rotated.public_key == only(server).public_key != old
    assert is_let_in(connection, store)
    assert len(list(tmp_path.rglob("*.pem"))) == 1


def lost(server: PretendedServer, *, arrives: bool) -> Fault:
    """Lose the answer to a rotation, or the request itself."""

    def fault(request: httpx.Request) -> httpx.Response | None:
        if request.url.path != routes.KEY:
            return None
        server.faults.clear()
        if arrives:
            server.answer(request)
        raise httpx.ReadError("connection lost")

    return fault


@pytest.mark.parametrize("arrives", [True, False])
def test_a_rotation_that_was_cut_short_goes_on_with_whatever_key_is_good(
    server: PretendedServer,
    connection: Connection,
    tmp_path: Path,
    audit: AuditLog,
    arrives: bool,  # noqa: FBT001
) -> None:
    store = joined(connection, tmp_path, audit)
    server.faults.append(lost(server, arrives=arrives))
    with pytest.raises(UnreachableError):
        rotate_key(connection, store, audit)
    assert store.load().next_key is not None
    rotated = rotate_key(connection, IdentityStore(tmp_path), audit)
    assert rotated.public_key == only(server).public_key
    assert rotated.next_key is None
    assert is_let_in(connection, store)
    assert len(list(tmp_path.rglob("*.pem"))) == 1

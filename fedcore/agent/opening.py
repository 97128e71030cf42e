"""From the files of a site to an agent that can run."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fedcore.agent.agent import Agent
from fedcore.agent.approvals import Approvals
from fedcore.agent.backoff import SHORTEST_S
from fedcore.agent.board import Board, Snapshot
from fedcore.agent.config import Site
from fedcore.agent.connection import Connection, Signer
from fedcore.agent.identity import Identity, IdentityStore
from fedcore.agent.machine_lock import only_one
from fedcore.agent.office import Office
from fedcore.agent.parts import STATUS_FILE, audit_log, identity_of, tls_of
from fedcore.agent.shelf import Shelf
from fedcore.agent.sums import Sums, forget_old
from fedcore.agent.work import Worker
from fedcore.agent.workspace import Workspace
from fedcore.environment import Folders
from fedcore.sites.signing import fingerprint


@contextmanager
def open_agent(
    site: Site,
    *,
    transport: httpx.BaseTransport | None = None,
    shortest_wait_s: float = SHORTEST_S,
) -> Iterator[Agent]:
    """Yield the agent of a site that has enrolled; only one at a time may be open.

    Args:
        site: Its configuration and policy.
        transport: Replaces the network, in tests.
        shortest_wait_s: After the first request that was not answered.

    Raises:
        IdentityError: If the site has not enrolled, at this server.
        ConfigError: If it cannot be set up as its files say, or another agent runs already.
    """
    identity = identity_of(site)
    tls = tls_of(identity.server, site.config.tls, site.folder)
    key = IdentityStore(site.state_dir).key(identity.public_key)
    signer = Signer(identity.site_id, key)
    with (
        only_one(site.state_dir),
        Connection(identity.server, signer, tls=tls, transport=transport) as connection,
    ):
        office = _office(site, identity, connection, tls, key)
        office.shortest_wait_s = shortest_wait_s
        yield Agent(office)


def _office(
    site: Site,
    identity: Identity,
    connection: Connection,
    tls: ssl.SSLContext | None,
    key: Ed25519PrivateKey,
) -> Office:
    now = datetime.now(UTC)
    snapshot = Snapshot(
        site=identity.name,
        project=identity.project,
        server=identity.server,
        fingerprint=fingerprint(identity.public_key),
        pid=os.getpid(),
        started_at=now,
        updated_at=now,
    )
    board = Board(snapshot, site.state_dir / STATUS_FILE)
    workspace = Workspace(site.state_dir)
    shelf = Shelf(site, board.trouble)
    audit = audit_log(site)
    forget_old(workspace.sum_folders(), now.timestamp())
    sums = Sums(workspace.sum_folder, key, site.policy)
    return Office(
        site=site,
        identity=identity,
        connection=connection,
        tls=tls,
        workspace=workspace,
        shelf=shelf,
        worker=Worker(site, shelf, workspace, sums, Folders.from_environment()),
        approvals=Approvals(site.state_dir, audit),
        audit=audit,
        board=board,
    )

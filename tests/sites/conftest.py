"""Sites with a folder each, enrolled at a server in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread

import pytest

from fedcore.agent.agent import Agent, RevokedError
from fedcore.agent.config import Site, read_site
from fedcore.agent.connection import Connection
from fedcore.agent.enrolment import enrol
from fedcore.agent.opening import open_agent
from fedcore.agent.parts import audit_log
from fedcore.data.sites import Holding
from fedcore.sites.messages import SiteState
from tests.sites.pretended import ADDRESS, CODE, Member, PretendedServer
from tests.sites.rows import heart_rows

POLICY = "{projects: [heart], approval: automatic}"
CONFIG = f"""
server: {ADDRESS}
status_page: {{enabled: false}}
datasets:
  - {{name: heart, path: heart.csv, target: disease, share: [class_counts, categories, scales]}}
"""


def write_site(folder: Path, *, seed: int, policy: str = POLICY, more: str = "") -> Site:
    """Return a site with 60 patients; ``more`` is added to its configuration."""
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "heart.csv").write_text(heart_rows(seed))
    (folder / "site.yaml").write_text(CONFIG + more)
    (folder / "policy.yaml").write_text(policy)
    return read_site(folder / "site.yaml")


@pytest.fixture
def server() -> PretendedServer:
    return PretendedServer()


def join(server: PretendedServer, site: Site) -> Member:
    """Enrol a site and approve it."""
    server.codes.add(CODE)
    with Connection(ADDRESS, None, transport=server.transport) as connection:
        reply = enrol(CODE, connection, site.state_dir, audit_log(site))
    member = server.members[reply.site_id]
    member.state = SiteState.APPROVED
    return member


@contextmanager
def running(server: PretendedServer, *sites: Site) -> Iterator[list[Agent]]:
    """Run the agents of some sites."""
    with ExitStack() as stack:
        agents = [
            stack.enter_context(open_agent(site, transport=server.transport, shortest_wait_s=0.01))
            for site in sites
        ]
        threads = [Thread(target=_run, args=(agent,)) for agent in agents]
        for thread in threads:
            thread.start()
        try:
            yield agents
        finally:
            for agent in agents:
                agent.stop()
            for thread in threads:
                thread.join(10)
                assert not thread.is_alive()


def _run(agent: Agent) -> None:
    try:
        agent.run()
    except RevokedError:
        agent.board.trouble("revoked", "yes")


def holdings_of(sites: list[Site], members: list[Member]) -> tuple[Holding, ...]:
    return tuple(Holding(member.name, 48, 12) for member in members[: len(sites)])

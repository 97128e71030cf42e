"""The page of a site is for people on its machine, and changes nothing without the token."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from fedcore.agent.approvals import Answer
from fedcore.agent.board import Waiting
from fedcore.agent.config import ConfigError, Site
from fedcore.agent.office import Office
from fedcore.agent.opening import open_agent
from fedcore.agent.page_server import PageServer, page_token
from tests.sites.conftest import join, write_site
from tests.sites.pretended import PretendedServer

RUN = uuid4()
HOSTILE = "<script>alert('x')</script>"


@pytest.fixture
def site(server: PretendedServer, tmp_path: Path) -> Site:
    site = write_site(tmp_path, seed=1)
    join(server, site)
    return site


@pytest.fixture
def office(server: PretendedServer, site: Site) -> Iterator[Office]:
    with open_agent(site, transport=server.transport) as agent:
        agent.board.waits(
            Waiting(run_id=RUN, name=HOSTILE, project="heart", launched_by="ada", summary="fedavg")
        )
        yield agent.office


@pytest.fixture
def page(office: Office) -> Iterator[httpx.Client]:
    with PageServer(office, 0) as served, httpx.Client(base_url=served.address) as client:
        yield client


def form(site: Site, **fields: str) -> dict[str, str]:
    usual = {"run_id": str(RUN), "answer": "approved", "token": page_token(site.state_dir)}
    return usual | fields


def test_the_page_says_who_the_site_is_and_what_waits(page: httpx.Client) -> None:
    found = page.get("/")
    assert found.status_code == 200
    assert "Site of the project heart" in found.text
    assert str(RUN) in found.text
    assert "Only heart." in found.text
    assert "<td class='number'>48</td>" in found.text


def test_what_the_server_says_is_text_and_nothing_else(page: httpx.Client) -> None:
    found = page.get("/")
    assert "<script" not in found.text
    assert "&lt;script&gt;" in found.text
    policy = found.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert "unsafe" not in policy
    assert page.get("/style.css").headers["Content-Type"] == "text/css; charset=utf-8"


def test_a_token_approves(page: httpx.Client, office: Office, site: Site) -> None:
    found = page.post("/answer", data=form(site))
    assert (found.status_code, found.headers["Location"]) == (303, "/")
    assert office.approvals.of(RUN) is Answer.APPROVED
    entry = office.audit.latest(1)[0]
    assert (entry.event, entry.facts["by"]) == ("run approved", "status page")


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"token": ""}, 403),
        ({"token": "x"}, 403),
        ({"answer": "maybe"}, 400),
        ({"run_id": "../../etc"}, 400),
        ({"answer": "approved" * 1000}, 413),
    ],
)
def test_without_the_token_or_with_nonsense_nothing_changes(
    page: httpx.Client, office: Office, site: Site, fields: dict[str, str], status: int
) -> None:
    assert page.post("/answer", data=form(site, **fields)).status_code == status
    assert office.approvals.of(RUN) is None


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "evil.example:8471"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_other_pages_cannot_use_a_browser_of_this_machine(
    page: httpx.Client, office: Office, site: Site, headers: dict[str, str], status: int
) -> None:
    assert page.post("/answer", data=form(site), headers=headers).status_code == status
    assert office.approvals.of(RUN) is None


def test_nothing_else_is_served(page: httpx.Client) -> None:
    for path in ("/page_token", "/../state/page_token", "/status.json", "/answer"):
        assert page.get(path).status_code == 404
    assert page.put("/").status_code == 501


def test_only_this_machine_is_listened_to(office: Office) -> None:
    with PageServer(office, 0) as served:
        assert served.address.startswith("http://127.0.0.1:")
        with pytest.raises(ConfigError, match="cannot be served on port"):
            PageServer(office, int(served.address.rstrip("/").rpartition(":")[2]))


def test_the_token_is_private_and_stays(site: Site) -> None:
    token = page_token(site.state_dir)
    assert len(token) >= 32
    assert page_token(site.state_dir) == token
    assert (site.state_dir / "page_token").stat().st_mode & 0o777 == 0o600


def test_two_agents_of_one_site_do_not_run_at_once(
    office: Office, server: PretendedServer, site: Site
) -> None:
    assert office.site == site
    with (
        pytest.raises(ConfigError, match="runs already"),
        open_agent(site, transport=server.transport),
    ):
        pass

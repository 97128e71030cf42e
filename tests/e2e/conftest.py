"""A real installation and a real browser; skipped, and said so, where one of them is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from tests import services
from tests.e2e import screens
from tests.e2e.browser import PATIENCE_MS, Complaints, chromium, what_is_missing
from tests.e2e.neighbours import Neighbour, settle
from tests.faults.stack import Stack, wait_for_end
from tests.waiting import wait_until

#: A run that is watched lasts for a while, and starting everything takes some time too.
TIMEOUT_S = 600

#: Sites are heard of, and ask for work, as often as a test wants to see it.
EAGER = {"ROUNDHOUSE_SITE_HEARTBEAT_S": "2", "ROUNDHOUSE_SITE_POLL_S": "0.5"}

expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = what_is_missing()
    for item in items:
        if item.path.parent.name != "e2e":
            continue
        item.add_marker(pytest.mark.e2e)
        item.add_marker(pytest.mark.timeout(TIMEOUT_S))
        if missing:
            item.add_marker(pytest.mark.skip(reason=missing))


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A healthy embedded installation on a free port, with a folder of its own."""
    stack = Stack(tmp_path_factory.mktemp("e2e"), {**services.EMBEDDED_ENVIRONMENT, **EAGER})
    try:
        stack.start()
        yield stack
    finally:
        stack.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Closed after each module: while it is open, no other suite could run an event loop.
    with chromium() as browser:
        yield browser


@contextmanager
def _profile(browser: Browser, stack: Stack, state: StorageState | None) -> Iterator[Page]:
    """A fresh browser profile; its console must stay clean."""
    context = browser.new_context(
        base_url=stack.url,
        viewport={"width": 1280, "height": 800},
        color_scheme="light",
        storage_state=state,
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    complaints = Complaints(page)
    try:
        yield page
    finally:
        context.close()
    assert complaints.lines == []


@pytest.fixture
def page(browser: Browser, stack: Stack) -> Iterator[Page]:
    """A page on which nobody is signed in."""
    with _profile(browser, stack, None) as page:
        yield page


@pytest.fixture(scope="session")
def cookies() -> dict[str, StorageState]:
    """Of who has signed in once, for all modules."""
    return {}


@pytest.fixture
def signed_in(browser: Browser, stack: Stack, cookies: dict[str, StorageState]) -> StorageState:
    """Cookies of a signed-in user, as the sign-in page hands them out."""
    if "admin" not in cookies:
        cookies["admin"] = _cookies_of_admin(browser, stack)
    return cookies["admin"]


def _cookies_of_admin(browser: Browser, stack: Stack) -> StorageState:
    with _profile(browser, stack, None) as page:
        screens.sign_in(page)
        expect(page.get_by_role("heading", name="Home", level=1)).to_be_visible()
        return page.context.storage_state()


@pytest.fixture
def member(browser: Browser, stack: Stack, signed_in: StorageState) -> Iterator[Page]:
    """An empty page whose user is signed in."""
    with _profile(browser, stack, signed_in) as page:
        yield page


@pytest.fixture
def on_runs(member: Page) -> Page:
    """The same on the list of runs."""
    member.goto("/runs")
    expect(member.get_by_role("heading", name="Runs", level=1)).to_be_visible()
    return member


@dataclass(frozen=True)
class Known:
    """Ids of things that the screens show; made once, and left as they are."""

    run: str
    failed: str
    sweep: str
    site: str
    project: str


@pytest.fixture(scope="session")
def known(stack: Stack) -> Known:
    with stack.client() as client:
        run = client.submit(name="Done", spec={"rounds": 3}).runs[0]
        diverging = {
            "rounds": 5,
            "local": {"lr": 1000.0, "epochs": 5},
            "runtime": {"min_updates": 10},
            "partition": {"kind": "dirichlet", "clients": 20},
        }
        failed = client.submit(name="Diverges", spec=diverging).runs[0]
        axes = {"local.lr": [0.05, 0.1], "local.batch_size": [16, 32]}
        sweep = client.submit_sweep(name="Swept", sweep={"base": {"rounds": 2}, "axes": axes})
        assert wait_for_end(client, run).state == "succeeded"
        assert wait_for_end(client, failed).state == "failed"
        wait_until(
            lambda: client.sweep(sweep.id).state == "finished",
            within_s=PATIENCE_MS / 1000,
            every_s=0.1,
            what="the end of the sweep",
        )
        settled = settle(stack, Neighbour("Ward 1"))
        (site,) = settled.sites
        return Known(str(run.id), str(failed.id), str(sweep.id), site, settled.project)


@pytest.fixture
def leaving(page: Page) -> Page:
    """A page whose user has just signed in, with a session that may end."""
    screens.sign_in(page)
    expect(page.get_by_role("heading", name="Home", level=1)).to_be_visible()
    return page

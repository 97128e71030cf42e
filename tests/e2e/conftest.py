"""A real installation and a real browser; skipped, and said so, where one of them is missing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import services
from tests.e2e import screens
from tests.e2e.browser import PATIENCE_MS, Complaints, chromium, what_is_missing
from tests.faults.stack import Stack

#: A run that is watched lasts for a while, and starting everything takes some time too.
TIMEOUT_S = 600

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
    stack = Stack(tmp_path_factory.mktemp("e2e"), services.EMBEDDED_ENVIRONMENT)
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


@pytest.fixture
def page(browser: Browser, stack: Stack) -> Iterator[Page]:
    """A fresh browser profile on which nobody is signed in; its console must stay clean."""
    context = browser.new_context(
        base_url=stack.url, viewport={"width": 1280, "height": 800}, color_scheme="light"
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    complaints = Complaints(page)
    yield page
    context.close()
    assert complaints.lines == []


@pytest.fixture
def member(page: Page) -> Page:
    """A page whose user is signed in."""
    screens.sign_in(page)
    expect(page.get_by_role("heading", name="Runs", level=1)).to_be_visible()
    return page

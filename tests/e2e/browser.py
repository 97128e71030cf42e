"""The browser that the end-to-end tests drive, and what they need before they can start."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.faults.stack import ROOT

_NAMES = ("chromium", "chromium-browser", "google-chrome")
#: No sandbox, because tests may run as root in a container; nothing that calls home.
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: Generous: a busy machine is slow, and a test that fails for that says nothing.
PATIENCE_MS = 60_000


def find_chromium() -> str | None:
    return next(filter(None, map(shutil.which, _NAMES)), None)


def what_is_missing() -> str | None:
    """Return why no browser test can run here, or None."""
    if find_chromium() is None:
        return "needs Chromium (make browser)"
    if not (ROOT / "frontend" / "dist" / "index.html").is_file():
        return "needs the built front end (make setup)"
    return None


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=[*_ARGUMENTS, *arguments]
        )
        try:
            yield browser
        finally:
            browser.close()


class Complaints:
    """What a page's console says that it should not: script errors, and refused styles or scripts.

    Failed requests are left out: a page that is offline, or that asks who is signed in before
    anybody is, has them by design, and what matters is what the page shows then.
    """

    def __init__(self, page: Page) -> None:
        self.lines: list[str] = []
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.lines.append(str(error)))

    def _note(self, message: ConsoleMessage) -> None:
        about_network = "Failed to load resource" in message.text or "WebSocket" in message.text
        if message.type == "error" and not about_network:
            self.lines.append(message.text)

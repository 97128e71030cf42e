"""Lighthouse's marks for the screens: ``python -m tests.e2e.lighthouse``; below 95 is a failure.

Lighthouse is installed apart, by ``make lighthouse``: it brings a hundred packages that nothing
else needs.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Cookie, expect

from benchmarks.priority import get_ahead, get_children_ahead
from tests import services
from tests.e2e import screens
from tests.e2e.browser import PATIENCE_MS, chromium, what_is_missing
from tests.faults.stack import ROOT, Stack, free_port, wait_for_end

LIGHTHOUSE = ROOT / ".bench/lighthouse/node_modules/.bin/lighthouse"
CATEGORIES = ("performance", "accessibility", "best-practices")
LEAST = 95
_TIMEOUT_S = 120


def cookies_of(stack: Stack) -> list[Cookie]:
    """Return the cookies of somebody who has signed in."""
    with chromium() as browser:
        page = browser.new_context(base_url=stack.url).new_page()
        screens.sign_in(page)
        expect(page.get_by_role("heading", name="Home", level=1)).to_be_visible()
        return page.context.cookies()


def marks(url: str, cookies: list[Cookie], folder: Path) -> dict[str, Any]:
    """Return the mark of each category, 0 to 100, and the audits that cost some of it.

    The browser is a new one, whose own profile has the cookies: a page that is not the first of its
    browser finds scripts compiled, and one with a header for cookies cannot read its own.
    """
    port = free_port()
    with chromium(f"--remote-debugging-port={port}") as browser:
        browser.new_browser_cdp_session().send("Storage.setCookies", {"cookies": cookies})
        get_children_ahead()
        return _look(url, port, folder)


def _look(url: str, port: int, folder: Path) -> dict[str, Any]:
    report = folder / "report.json"
    command = [
        str(LIGHTHOUSE),
        url,
        "--quiet",
        "--preset=desktop",
        "--output=json",
        f"--output-path={report}",
        f"--only-categories={','.join(CATEGORIES)}",
        f"--port={port}",
    ]
    subprocess.run(command, check=True, timeout=_TIMEOUT_S)
    found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return found


def faults(found: dict[str, Any], category: str) -> list[str]:
    wanted = {ref["id"] for ref in found["categories"][category]["auditRefs"] if ref["weight"] > 0}
    audits = [found["audits"][name] for name in sorted(wanted)]
    return [
        f"{audit['id']}: {audit['title']} {audit.get('displayValue', '')}".rstrip()
        for audit in audits
        if audit["score"] is not None and audit["score"] < 1
    ]


def show(found: dict[str, Any], address: str) -> list[int]:
    """Print the marks of a screen, and what cost too much of one; return the marks."""
    shown = []
    for category in CATEGORIES:
        mark = round(100 * found["categories"][category]["score"])
        sys.stdout.write(f"{address:12} {category:15} {mark:3}\n")
        if mark < LEAST:
            sys.stdout.writelines(f"    {fault}\n" for fault in faults(found, category))
        shown.append(mark)
    return shown


def main() -> int:
    missing = what_is_missing()
    if missing is None and not LIGHTHOUSE.exists():
        missing = "needs Lighthouse (make lighthouse)"
    if missing:
        sys.stderr.write(f"lighthouse: {missing}\n")
        return 2
    get_ahead()
    expect.set_options(timeout=PATIENCE_MS)
    worst = 100
    with tempfile.TemporaryDirectory() as name:
        stack = Stack(Path(name) / "var", services.EMBEDDED_ENVIRONMENT)
        try:
            stack.start()
            with stack.client() as client:
                run = client.submit(name="Digits", spec={}).runs[0]
                wait_for_end(client, run)
            cookies = cookies_of(stack)
            for address in ("/sign-in", "/", "/runs", "/catalogue", "/new", f"/runs/{run.id}"):
                found = marks(f"{stack.url}{address}", cookies, Path(name))
                worst = min(worst, *show(found, address.replace(str(run.id), "…")))
        finally:
            stack.close()
    sys.stdout.write(f"lowest: {worst}, required: {LEAST}\n")
    return int(worst < LEAST)


if __name__ == "__main__":
    raise SystemExit(main())

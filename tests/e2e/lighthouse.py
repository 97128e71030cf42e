"""Lighthouse's marks for the screens: ``python -m tests.e2e.lighthouse``; below 95 is a failure.

Lighthouse is installed apart, by ``make lighthouse``: it brings a hundred packages that nothing
else needs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

from playwright.sync_api import expect

from benchmarks.priority import get_ahead, get_children_ahead
from tests import services
from tests.e2e import screens
from tests.e2e.browser import PATIENCE_MS, chromium, find_chromium, what_is_missing
from tests.faults.stack import ROOT, Stack, wait_for_end

LIGHTHOUSE = ROOT / ".bench/lighthouse/node_modules/.bin/lighthouse"
CATEGORIES = ("performance", "accessibility", "best-practices")
LEAST = 95
_TIMEOUT_S = 120


def cookies_of(stack: Stack) -> str:
    """Return the cookies of somebody who has signed in, as a header."""
    with chromium() as browser:
        page = browser.new_context(base_url=stack.url).new_page()
        screens.sign_in(page)
        expect(page.get_by_role("heading", name="Home", level=1)).to_be_visible()
        cookies = page.context.cookies()
        return "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in cookies)


def marks(url: str, cookies: str, folder: Path) -> dict[str, Any]:
    """Return the mark of each category, 0 to 100, and the audits that cost some of it."""
    report = folder / "report.json"
    headers = folder / "headers.json"
    headers.write_text(json.dumps({"Cookie": cookies}), encoding="utf-8")
    command = [
        str(LIGHTHOUSE),
        url,
        "--quiet",
        "--preset=desktop",
        "--output=json",
        f"--output-path={report}",
        f"--only-categories={','.join(CATEGORIES)}",
        f"--extra-headers={headers}",
        "--chrome-flags=--headless=new --no-sandbox --disable-gpu",
    ]
    environment = {**os.environ, "CHROME_PATH": str(find_chromium())}
    _run(command, environment)
    found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return found


def _run(command: list[str], environment: dict[str, str]) -> None:
    """Run Lighthouse and the browser that it starts ahead of whatever else the machine does."""
    deadline = monotonic() + _TIMEOUT_S
    with subprocess.Popen(command, env=environment) as process:
        while process.poll() is None and monotonic() < deadline:
            get_children_ahead()
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.2)
        process.kill()
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, command)


def faults(found: dict[str, Any], category: str) -> list[str]:
    wanted = {ref["id"] for ref in found["categories"][category]["auditRefs"] if ref["weight"] > 0}
    audits = [found["audits"][name] for name in sorted(wanted)]
    return [
        f"{audit['id']}: {audit['title']} {audit.get('displayValue', '')}".rstrip()
        for audit in audits
        if audit["score"] is not None and audit["score"] < 1
    ]


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
        folder = Path(name)
        stack = Stack(folder / "var", services.EMBEDDED_ENVIRONMENT)
        try:
            stack.start()
            with stack.client() as client:
                run = client.submit(name="Digits", spec={}).runs[0]
                wait_for_end(client, run)
            signed_in = cookies_of(stack)
            for address in ("/sign-in", "/", "/runs", "/catalogue", "/new", f"/runs/{run.id}"):
                found = marks(f"{stack.url}{address}", signed_in, folder)
                shown = address.replace(str(run.id), "…")
                for category in CATEGORIES:
                    mark = round(100 * found["categories"][category]["score"])
                    worst = min(worst, mark)
                    sys.stdout.write(f"{shown:12} {category:15} {mark:3}\n")
                    if mark < LEAST:
                        sys.stdout.writelines(f"    {fault}\n" for fault in faults(found, category))
        finally:
            stack.close()
    sys.stdout.write(f"lowest: {worst}, required: {LEAST}\n")
    return int(worst < LEAST)


if __name__ == "__main__":
    raise SystemExit(main())

"""From an invitation to a finished run on a real site, as `docs/sites.md` says, in a browser."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from fedcore.agent.page_server import page_token
from fedcore.sites.drafting import draft
from fedcore.sites.messages import DatasetDeclaration
from tests.e2e import screens
from tests.e2e.axe import objections
from tests.faults.stack import ROOT, Stack, free_port, wait_for_end
from tests.sites.rows import heart_rows

DATASETS = """
datasets:
  - name: heart
    path: heart.csv
    target: disease
    share: [class_counts, categories, scales]
"""


def roundhouse(stack: Stack, *arguments: str, folder: Path) -> str:
    """Run a command of a site as somebody there would, and return what it says."""
    command = [sys.executable, "-m", "fedcore.cli.main", *arguments]
    environment = stack.site_environment
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def running(stack: Stack, folder: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "fedcore.cli.main", "site", "run"]
    with (folder / "out").open("ab") as log:
        agent = subprocess.Popen(
            command, cwd=folder, env=stack.site_environment, stdout=log, stderr=log
        )
    try:
        yield
    finally:
        agent.terminate()
        assert agent.wait(60) in (0, -signal.SIGTERM), (folder / "out").read_text()


def invite(page: Page) -> list[str]:
    """Invite a site and return the command that is shown for it."""
    page.goto("/sites")
    page.get_by_role("button", name="Invite a site").click()
    page.get_by_label("Name", exact=True).fill("Ward 3")
    page.get_by_role("button", name="Make a code").click()
    command = page.get_by_label("Command").inner_text()
    assert objections(page) == []
    page.get_by_role("button", name="Done").click()
    return shlex.split(command)


def declare(folder: Path, port: int) -> None:
    (folder / "data" / "heart.csv").write_text(heart_rows(seed=1))
    config = (folder / "site.yaml").read_text()
    config = config.replace("datasets: []\n", DATASETS) + f"status_page: {{port: {port}}}\n"
    (folder / "site.yaml").write_text(config)
    policy = (folder / "policy.yaml").read_text()
    (folder / "policy.yaml").write_text(policy.replace("min_cohort: 2", "min_cohort: 1"))


def drafted(declaration: DatasetDeclaration) -> dict[str, Any]:
    sections = draft("heart", "disease", {"Ward 3": declaration}).sections
    runtime = sections["runtime"] | {"round_limit_s": 300}
    model = {"kind": "mlp", "hidden": [8]}
    return sections | {
        "runtime": runtime,
        "rounds": 3,
        "model": model,
        "sampling": {"kind": "full"},
    }


def approve_run_at_the_site(page: Page, address: str, token: str) -> None:
    """Approve the run that waits, on the site's own page."""
    page.goto(address)
    expect(page.get_by_role("heading", name="Waiting for you")).to_be_visible()
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("heading", name="Ward 3", level=1)).to_be_visible()


def test_a_site_is_invited_enrols_is_approved_and_trains(
    member: Page, stack: Stack, tmp_path: Path
) -> None:
    page, port = member, free_port()
    assert ROOT not in tmp_path.parents
    program, *arguments = invite(page)
    assert program == "roundhouse"
    said = roundhouse(stack, *arguments, folder=tmp_path)
    declare(tmp_path, port)
    told = roundhouse(stack, "site", "check", folder=tmp_path)
    declaration = DatasetDeclaration.model_validate_json(told[: told.rindex("}") + 1])
    with running(stack, tmp_path):
        page.get_by_role("link", name="Ward 3").click()
        page.get_by_role("button", name="Approve").click()
        dialog = page.get_by_role("dialog", name="Approve this site?")
        fingerprint = dialog.locator("p").nth(1).inner_text()
        assert f"key: {fingerprint}" in said
        assert objections(page) == []
        dialog.get_by_role("button", name="They are the same: approve").click()
        expect(page.get_by_text("Online")).to_be_visible()
        expect(page.get_by_role("region", name="heart", exact=True)).to_contain_text("48 to train")
        assert objections(page) == []
        with stack.client() as client:
            run = client.submit(name="On a site", spec=drafted(declaration)).runs[0]
            site = page.url
            expect(page.get_by_text("Waits for a person at the site", exact=True)).to_be_visible()
            approve_run_at_the_site(
                page, f"http://127.0.0.1:{port}/", page_token(tmp_path / "state")
            )
            assert wait_for_end(client, run).state == "succeeded"
        page.goto(f"/runs/{run.id}")
        expect(page.get_by_role("row", name="Ward 3")).to_contain_text("test: done")
        screens.wait_until_complete(page)
        assert objections(page) == []
        page.goto(site)
        expect(page.get_by_role("row", name="On a site").first).to_contain_text("done")
        page.goto("/sites")
        expect(page.get_by_role("link", name="Ward 3")).to_be_visible()
        assert objections(page) == []

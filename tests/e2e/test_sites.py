"""From an invitation to a finished run on a real site, as `docs/sites.md` says, in a browser."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Page, expect

from fedcore.agent.page_server import page_token
from tests.e2e import screens
from tests.e2e.axe import objections
from tests.faults.stack import ROOT, Stack, free_port, wait_for_end
from tests.sites.rows import heart_rows

SPEC = '{"rounds": 1, "model": {"kind": "mlp", "hidden": [8]}, "dataset": {"kind": "sites"}}'
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


def launch_on_the_site(page: Page, spec: str) -> str:
    """Choose the site and its data in the form, launch, and return the run's id."""
    page.goto(f"/new?spec={quote(spec)}")
    screens.field(page, "Name").fill("Heart, on a site")
    data = page.get_by_role("combobox", name="Data set on the sites")
    data.click()
    page.get_by_role("option", name=re.compile("^heart")).click()
    page.get_by_role("button", name="None", exact=True).click()
    page.get_by_role("checkbox", name="Ward 3").check()
    # The only column whose classes are named.
    expect(page.get_by_role("combobox", name="To predict")).to_have_value("disease")
    row = page.get_by_role("listitem").filter(has=page.get_by_role("checkbox", name="Ward 3"))
    expect(row).to_contain_text("48 to train on, 12 to test on")
    expect(row).to_contain_text("Would take part once a person there has approved the run")
    expect(page.get_by_text("Ready to launch")).to_be_visible()
    assert objections(page) == []
    page.get_by_role("button", name="Launch run").click()
    page.wait_for_url("**/runs/*-*")
    return page.url.rpartition("/")[2]


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
        site = page.url
        run_id = launch_on_the_site(page, SPEC)
        page.goto(site)
        expect(page.get_by_text("Waits for a person at the site", exact=True)).to_be_visible()
        approve_run_at_the_site(page, f"http://127.0.0.1:{port}/", page_token(tmp_path / "state"))
        with stack.client() as client:
            assert wait_for_end(client, client.run(run_id)).state == "succeeded"
        page.goto(f"/runs/{run_id}")
        expect(page.get_by_role("row", name="Ward 3")).to_contain_text("test: done")
        screens.wait_until_complete(page)
        assert objections(page) == []
        page.goto(site)
        expect(page.get_by_role("row", name="Heart, on a site").first).to_contain_text("done")
        page.goto("/sites")
        expect(page.get_by_role("link", name="Ward 3")).to_be_visible()
        assert objections(page) == []

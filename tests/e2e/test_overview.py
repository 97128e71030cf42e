"""Home, the catalogue, sweeps and the command palette, as people use them."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.e2e import screens
from tests.e2e.conftest import Known


def test_an_example_is_launched_by_one_click_and_home_follows_it(member: Page) -> None:
    page = member
    page.goto("/")
    page.get_by_role("button", name="Launch Federated averaging").click()
    page.wait_for_url("**/runs/*-*")
    screens.expect_state(page, "succeeded")
    page.get_by_role("link", name="Home").click()
    recent = page.get_by_role("list", name="Recently ended")
    expect(recent.get_by_text(re.compile("Federated averaging")).first).to_be_visible()


def test_home_says_why_a_run_has_failed(member: Page, known: Known) -> None:
    member.goto("/")
    failed = member.get_by_role("list", name="Failed")
    expect(failed.get_by_text(re.compile("not finite")).first).to_be_visible()
    failed.get_by_role("link", name=re.compile("Diverges")).first.click()
    member.wait_for_url(f"**/runs/{known.failed}")


def test_an_entry_of_the_catalogue_is_found_and_opened_in_the_form(member: Page) -> None:
    member.goto("/catalogue")
    member.get_by_role("searchbox").fill("proximal")
    member.get_by_role("link", name="FedProx", exact=True).click()
    expect(member.get_by_role("heading", name="FedProx", level=1)).to_be_visible()
    expect(member.get_by_role("row", name=re.compile(r"^Pull \(mu\)"))).to_contain_text("0.01")
    member.get_by_role("link", name="Open in New run").click()
    expect(member.get_by_role("form", name="New run")).to_be_visible()
    expect(member.get_by_text("Ready to launch")).to_be_visible()
    expect(member.locator("input[value='FedProx']")).to_be_visible()


def test_a_sweep_is_made_watched_stopped_and_resumed(member: Page) -> None:
    page = member
    page.goto("/sweeps")
    page.get_by_role("link", name="New sweep").click()
    setting = page.get_by_role("combobox", name="Setting")
    setting.fill("learning")
    page.get_by_role("option", name="Local: learning rate").click()
    values = page.get_by_role("combobox", name="Values")
    values.press_sequentially("0.01,0.1,")
    page.get_by_role("textbox", name="Seeds for each").fill("2")
    page.get_by_role("textbox", name="At the same time").fill("1")
    page.get_by_role("button", name="Launch 4 runs").click()
    page.wait_for_url("**/sweeps/*-*")
    expect(page.get_by_text("Every combination: 2 · 2 seeds each")).to_be_visible()

    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Stop the sweep").click()
    screens.expect_state(page, "cancelled")
    # Until the run that was under way has stopped, the server says that it is too early.
    under_way = page.locator("dl > div").filter(has_text="Under way").locator("dd").first
    expect(under_way).to_have_text("0")
    page.get_by_role("button", name="Resume").click()
    screens.expect_state(page, "succeeded")
    expect(page.get_by_role("progressbar", name="Runs that have ended")).to_have_attribute(
        "aria-valuenow", "4"
    )
    expect(page.get_by_role("heading", name="Best so far")).to_be_visible()
    table = page.get_by_role("group", name="Points and their runs")
    expect(table.get_by_role("row")).to_have_count(3)
    page.get_by_role("link", name="Compare the best").click()
    expect(page.get_by_role("list", name="Compared runs").get_by_role("listitem")).to_have_count(4)


def test_the_palette_finds_a_run_by_its_name(on_runs: Page, known: Known) -> None:
    on_runs.keyboard.press("Control+k")
    on_runs.get_by_placeholder("Go to a screen").fill("diverg")
    on_runs.get_by_role("dialog").get_by_text("Diverges").click()
    on_runs.wait_for_url(f"**/runs/{known.failed}")

"""axe-core finds nothing on any screen, in light and in dark; everything is done by keyboard."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.e2e import screens
from tests.e2e.axe import objections
from tests.e2e.conftest import Known

TABS = ("overview", "metrics", "clients", "data", "topology", "log", "spec", "model")
SETTINGS = ("account", "security", "sessions", "tokens", "projects", "appearance", "people")
COMPARISONS = ("curves", "cost", "settings", "table")


def test_no_screen_hinders_anybody(member: Page, known: Known) -> None:
    page = member
    addresses = [
        "/",
        "/runs",
        "/runs?search=nothing+is+called+so",
        "/compare",
        *(f"/compare?runs={known.run},{known.failed}&tab={tab}" for tab in COMPARISONS),
        "/sweeps",
        f"/sweeps/{known.sweep}",
        "/sweeps/new",
        "/catalogue",
        "/catalogue/algorithm/fedprox",
        "/new",
        "/sites",
        *(f"/runs/{known.run}?tab={tab}" for tab in TABS),
        f"/runs/{known.failed}",
        *(f"/settings?tab={tab}" for tab in SETTINGS),
        "/audit",
        "/nowhere",
    ]
    found = {}
    for address in addresses:
        page.goto(address)
        screens.wait_until_complete(page)
        found[address] = objections(page)
    assert {address: lines for address, lines in found.items() if lines} == {}


def test_nobody_is_hindered_before_signing_in_or_by_what_opens(page: Page, member: Page) -> None:
    page.goto("/sign-in")
    expect(page.get_by_label("Username")).to_be_visible()
    assert objections(page) == []
    member.keyboard.press("?")
    expect(member.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    assert objections(member) == []
    member.keyboard.press("Escape")
    expect(member.get_by_role("dialog")).to_have_count(0)
    member.keyboard.press("Control+k")
    expect(member.get_by_role("dialog", name="Commands")).to_be_visible()
    expect(member.get_by_role("dialog").get_by_text("New sweep")).to_be_visible()
    assert objections(member) == []


def test_a_run_is_found_started_and_cancelled_by_keyboard_alone(member: Page) -> None:
    page, keys = member, member.keyboard
    keys.press("n")
    expect(page.get_by_role("form", name="New run")).to_be_visible()
    screens.field(page, "Name").press_sequentially("By keyboard")
    screens.field(page, "Rounds").press("Control+a")
    keys.type("100000")
    expect(page.get_by_text("Ready to launch")).to_be_visible()
    keys.press("Enter")
    page.wait_for_url("**/runs/*-*")
    page.get_by_role("button", name="Cancel", exact=True).press("Enter")
    dialog = page.get_by_role("dialog", name="Cancel this run?")
    expect(dialog.get_by_role("button", name="Keep it running")).to_be_focused()
    keys.press("Tab")
    keys.press("Enter")
    screens.expect_state(page, "cancelled")
    keys.press("Control+k")
    expect(page.get_by_role("dialog", name="Commands")).to_be_visible()
    keys.type("Compare")
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Compare", level=1)).to_be_visible()

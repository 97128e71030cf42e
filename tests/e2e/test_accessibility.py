"""No screen hinders anybody: axe-core, the keyboard, the width of a phone."""

from __future__ import annotations

from collections.abc import Iterator

from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.e2e import screens
from tests.e2e.axe import objections
from tests.e2e.conftest import Known
from tests.e2e.keyboard import obstacles

TABS = ("overview", "metrics", "clients", "data", "topology", "log", "spec", "model")
SETTINGS = ("account", "security", "sessions", "tokens", "projects", "appearance", "people")
COMPARISONS = ("curves", "cost", "settings", "table")
WIDE: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 360, "height": 740}


def everywhere(known: Known) -> list[str]:
    return [
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
        "/new?view=yaml",
        "/new?view=prompt",
        "/sites",
        f"/sites/{known.site}",
        *(f"/runs/{known.run}?tab={tab}" for tab in TABS),
        f"/runs/{known.failed}",
        *(f"/settings?tab={tab}" for tab in SETTINGS),
        f"/projects/{known.project}",
        "/audit",
        "/nowhere",
    ]


def hindrances(page: Page) -> Iterator[str]:
    """Yield what a screen does wrong for those who use it otherwise than most."""
    yield from objections(page)
    yield from obstacles(page)
    page.set_viewport_size(PHONE)
    if not screens.has_room(page):
        yield f"a phone has to scroll sideways by {screens.overflow_of(page)} pixels"
    page.set_viewport_size(WIDE)


def test_no_screen_hinders_anybody(member: Page, known: Known) -> None:
    page = member
    page.goto("/")
    found = []
    for address in everywhere(known):
        screens.go(page, address)
        screens.wait_until_complete(page)
        found += [f"{address}: {line}" for line in hindrances(page)]
    assert not found, "\n".join(found)


def test_nobody_is_hindered_before_signing_in_or_by_what_opens(page: Page, on_runs: Page) -> None:
    for address in ("/sign-in", "/invitation"):
        page.goto(address)
        expect(page.locator("h1")).to_be_visible()
        assert list(hindrances(page)) == [], address
    on_runs.keyboard.press("?")
    expect(on_runs.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    assert objections(on_runs) == []
    on_runs.keyboard.press("Escape")
    expect(on_runs.get_by_role("dialog")).to_have_count(0)
    on_runs.keyboard.press("Control+k")
    expect(on_runs.get_by_role("dialog", name="Commands")).to_be_visible()
    expect(on_runs.get_by_role("dialog").get_by_text("New sweep")).to_be_visible()
    assert objections(on_runs) == []


#: A screen with whatever opens on it, and how many of them there are at least.
OPENING = (("/runs", 5), ("/new", 3), ("/sweeps/new", 1), ("/settings?tab=appearance", 2))


def test_what_opens_is_opened_used_and_closed_by_keys(member: Page) -> None:
    """Menus, lists and popovers: Enter or an arrow opens, Escape closes and goes back."""
    page = member
    page.emulate_media(reduced_motion="reduce")
    for address, least in OPENING:
        page.goto(address)
        screens.wait_until_complete(page)
        triggers = page.locator("[aria-haspopup]:visible:enabled")
        # What is not seen first comes afterwards.
        expect(triggers.nth(least - 1), address).to_be_visible()
        for index in range(triggers.count()):
            open_and_close(page, triggers.nth(index))


def open_and_close(page: Page, trigger: Locator) -> None:
    keys = page.keyboard
    trigger.focus()
    is_list = trigger.get_attribute("aria-haspopup") == "listbox"
    keys.press("ArrowDown" if is_list else "Enter")
    expect(trigger).to_have_attribute("aria-expanded", "true")
    if is_list:
        keys.press("ArrowDown")
    elif trigger.get_attribute("aria-haspopup") == "menu":
        keys.press("ArrowDown")
        expect(page.locator("[role=menu] :focus")).to_have_count(1)
    else:
        expect(page.locator("[role=dialog] :focus, [role=dialog]:focus")).to_have_count(1)
    keys.press("Escape")
    expect(trigger).to_have_attribute("aria-expanded", "false")
    expect(trigger).to_be_focused()


def test_a_run_is_found_started_and_cancelled_by_keyboard_alone(on_runs: Page) -> None:
    page, keys = on_runs, on_runs.keyboard
    keys.press("Control+k")
    expect(page.get_by_role("dialog", name="Commands")).to_be_visible()
    keys.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    keys.press("Control+k")
    keys.type("New run")
    expect(page.get_by_role("dialog").get_by_text("New run")).to_be_visible()
    keys.press("Enter")
    expect(page.get_by_role("form", name="New run")).to_be_visible()
    screens.field(page, "Name").press_sequentially("By keyboard")
    screens.field(page, "Rounds").press("Control+a")
    keys.type("100000")
    expect(page.get_by_text("Ready to launch")).to_be_visible()
    keys.press("Enter")
    page.wait_for_url("**/runs/*-*")

    cancel = page.get_by_role("button", name="Cancel", exact=True)
    cancel.press("Enter")
    dialog = page.get_by_role("dialog", name="Cancel this run?")
    expect(dialog.get_by_role("button", name="Keep it running")).to_be_focused()
    # The focus stays in the dialog, and goes back to where it was.
    for _ in range(5):
        keys.press("Tab")
        expect(page.locator("[role=dialog] :focus")).to_have_count(1)
    keys.press("Escape")
    expect(dialog).to_be_hidden()
    expect(cancel).to_be_focused()
    keys.press("Enter")
    expect(dialog.get_by_role("button", name="Keep it running")).to_be_focused()
    keys.press("Tab")
    keys.press("Enter")
    screens.expect_state(page, "cancelled")
    page.get_by_role("tab", name="Overview").focus()
    keys.press("ArrowRight")
    expect(page.get_by_role("tab", name="Metrics")).to_have_attribute("aria-selected", "true")

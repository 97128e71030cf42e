"""What every screen owes its user: room on a phone, the dark, the keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.e2e import screens
from tests.e2e.browser import PATIENCE_MS
from tests.e2e.conftest import Known
from tests.faults.stack import Stack

PHONE: ViewportSize = {"width": 360, "height": 740}
QUICK = {"Name": "A name that is rather long, as names of experiments are", "Rounds": "3"}


@pytest.fixture
def finished_run(member: Page) -> str:
    """The address of a run that has succeeded."""
    run_id = screens.launch(member, QUICK)
    screens.expect_state(member, "succeeded")
    return f"/runs/{run_id}"


def test_no_screen_scrolls_sideways_on_a_phone(
    member: Page, finished_run: str, known: Known
) -> None:
    member.set_viewport_size(PHONE)
    tabs = [
        f"{finished_run}?tab={tab}"
        for tab in ("overview", "metrics", "clients", "data", "topology", "log", "spec", "model")
    ]
    for address in (
        "/sign-in",
        "/",
        "/runs",
        "/compare",
        "/sweeps",
        f"/sweeps/{known.sweep}",
        "/sweeps/new",
        "/catalogue",
        "/catalogue/algorithm/fedprox",
        "/new",
        "/sites",
        *tabs,
    ):
        member.goto(address)
        expect(member.locator("h1")).to_be_visible()
        member.wait_for_load_state("networkidle")
        assert screens.overflow_of(member) == 0, f"{address} is wider than a phone"


def test_a_phone_reaches_everything_by_the_menu(member: Page) -> None:
    member.set_viewport_size(PHONE)
    member.get_by_role("button", name="Open menu").click()
    menu = member.get_by_role("dialog")
    menu.get_by_role("link", name="New run").click()
    expect(member.get_by_role("form", name="New run")).to_be_visible()
    expect(menu).to_be_hidden()


def test_the_scheme_follows_the_system(browser: Browser, stack: Stack) -> None:
    context = browser.new_context(base_url=stack.url, color_scheme="dark")
    page = context.new_page()
    page.goto("/sign-in", timeout=PATIENCE_MS)
    expect(page.get_by_label("Username")).to_be_visible()
    assert screens.is_dark(page)
    page.emulate_media(color_scheme="light")
    page.wait_for_function("() => document.documentElement.dataset.mantineColorScheme === 'light'")
    assert not screens.is_dark(page)
    context.close()


def test_a_chosen_scheme_is_remembered(member: Page) -> None:
    assert not screens.is_dark(member)
    member.get_by_role("button", name="Account").click()
    member.get_by_text("Dark", exact=True).click(force=True)
    member.wait_for_function("() => document.documentElement.dataset.mantineColorScheme === 'dark'")
    member.reload()
    expect(member.get_by_role("heading", name="Runs", level=1)).to_be_visible()
    assert screens.is_dark(member)


@pytest.mark.usefixtures("finished_run")
def test_the_list_is_filtered_by_state_and_name_and_the_address_keeps_it(member: Page) -> None:
    member.goto("/runs?state=succeeded&search=rather+long")
    expect(member.get_by_role("link", name=QUICK["Name"]).first).to_be_visible()
    member.get_by_role("searchbox").fill("no such name")
    expect(member.get_by_text("No run matches")).to_be_visible()
    assert "search=no" in member.url
    member.get_by_role("link", name="Show all runs").click()
    expect(member.get_by_role("link", name=QUICK["Name"]).first).to_be_visible()


def test_an_unknown_address_and_an_unknown_run_say_so(member: Page) -> None:
    for address in ("/nowhere", "/runs/00000000-0000-4000-8000-000000000000"):
        member.goto(address)
        expect(member.get_by_text("Not found")).to_be_visible()


@pytest.mark.usefixtures("finished_run")
def test_a_run_can_be_opened_and_left_by_keyboard(member: Page) -> None:
    member.goto("/runs")
    link = member.get_by_role("link", name=QUICK["Name"]).first
    link.focus()
    member.keyboard.press("Enter")
    member.wait_for_url("**/runs/*-*")
    member.get_by_role("tab", name="Overview").focus()
    member.keyboard.press("ArrowRight")
    expect(member.get_by_role("tab", name="Metrics")).to_have_attribute("aria-selected", "true")


def test_signing_out_ends_the_session(leaving: Page) -> None:
    leaving.get_by_role("button", name="Account").click()
    leaving.get_by_role("menuitem", name="Sign out").click()
    expect(leaving.get_by_label("Username")).to_be_visible()
    leaving.goto("/runs")
    expect(leaving.get_by_label("Username")).to_be_visible()

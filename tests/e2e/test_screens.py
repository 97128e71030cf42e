"""What is the same on every screen: the menu, the scheme, addresses, signing out."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.e2e import screens
from tests.e2e.browser import PATIENCE_MS
from tests.faults.stack import Stack, wait_for_end

PHONE: ViewportSize = {"width": 360, "height": 740}
LONG = "A name that is rather long, as names of experiments are"


def test_a_phone_reaches_everything_by_the_menu(on_runs: Page) -> None:
    member = on_runs
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


def test_a_chosen_scheme_is_remembered(on_runs: Page) -> None:
    member = on_runs
    assert not screens.is_dark(member)
    member.get_by_role("button", name="Account").click()
    member.get_by_text("Dark", exact=True).click(force=True)
    member.wait_for_function("() => document.documentElement.dataset.mantineColorScheme === 'dark'")
    member.reload()
    expect(member.get_by_role("heading", name="Runs", level=1)).to_be_visible()
    assert screens.is_dark(member)


def test_the_list_is_filtered_by_state_and_name_and_the_address_keeps_it(
    member: Page, stack: Stack
) -> None:
    with stack.client() as client:
        wait_for_end(client, client.submit(name=LONG, spec={"rounds": 1}).runs[0])
    member.goto("/runs?state=succeeded&search=rather+long")
    expect(member.get_by_role("link", name=LONG).first).to_be_visible()
    member.get_by_role("searchbox").fill("no such name")
    expect(member.get_by_text("No run matches")).to_be_visible()
    assert "search=no" in member.url
    member.get_by_role("link", name="Show all runs").click()
    expect(member.get_by_role("link", name=LONG).first).to_be_visible()


def test_an_unknown_address_and_an_unknown_run_say_so(member: Page) -> None:
    for address in ("/nowhere", "/runs/00000000-0000-4000-8000-000000000000"):
        member.goto(address)
        expect(member.get_by_text("Not found")).to_be_visible()


def test_signing_out_ends_the_session(leaving: Page) -> None:
    leaving.get_by_role("button", name="Account").click()
    leaving.get_by_role("menuitem", name="Sign out").click()
    expect(leaving.get_by_label("Username")).to_be_visible()
    leaving.goto("/runs")
    expect(leaving.get_by_label("Username")).to_be_visible()

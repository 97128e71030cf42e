"""One document in three views: whatever is changed in one of them is what the others show."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.e2e import screens


def open_yaml(page: Page) -> None:
    page.get_by_text("YAML", exact=True).click()
    expect(editor(page)).to_be_visible()


def editor(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Specification as YAML")


PASTE = """(editor, text) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData('text/plain', text);
  const init = { clipboardData, bubbles: true, cancelable: true };
  editor.dispatchEvent(new ClipboardEvent('paste', init));
}"""


def write(page: Page, text: str) -> None:
    """Replace the whole text, as a person who pastes.

    ``fill`` would let the browser edit by itself, which keeps the looks of what it replaces by
    styles that the policy refuses.
    """
    editor(page).press("ControlOrMeta+a")
    editor(page).evaluate(PASTE, text)


def show_form(page: Page) -> None:
    page.get_by_text("Form", exact=True).click()


def test_a_change_in_one_view_shows_in_the_others(member: Page) -> None:
    page = member
    screens.open_form(page)
    screens.field(page, "Rounds").fill("7")
    open_yaml(page)
    expect(editor(page)).to_contain_text("rounds: 7")

    write(page, "# mine\nrounds: 9\nlocal: {steps: 4} # few\n")
    show_form(page)
    expect(screens.field(page, "Rounds")).to_have_value("9")
    expect(screens.field(page, "Epochs")).to_have_value("")
    screens.field(page, "Clients").fill("11")

    open_yaml(page)
    for part in ("# mine", "rounds: 9", "# few", "clients: 11"):
        expect(editor(page)).to_contain_text(part)
    expect(page.get_by_text("Ready to launch")).to_be_visible()


def test_wrong_yaml_keeps_its_text_and_says_line_and_fix(member: Page) -> None:
    page = member
    page.goto("/new?view=yaml")
    write(page, "rounds: 3\nlocal:\n  lr: -1\nrounds: 4\n")
    expect(page.get_by_text("This setting is given twice. Remove one of the two.")).to_be_visible()
    expect(page.get_by_role("button", name="Line 4")).to_be_visible()
    expect(page.get_by_role("button", name="Launch run")).to_be_disabled()
    show_form(page)
    expect(screens.field(page, "Rounds")).to_have_count(0)
    page.get_by_role("button", name="Mend the YAML").click()
    expect(editor(page)).to_contain_text("rounds: 4")

    write(page, "rounds: 3\nlocal:\n  lr: -1\n")
    expect(page.get_by_text("Must be greater than 0")).to_be_visible()
    page.get_by_role("button", name="Line 3").click()
    page.keyboard.press("End")
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    page.keyboard.type("0.05")
    expect(page.get_by_text("Ready to launch")).to_be_visible()


def test_the_preview_follows_the_slider(member: Page) -> None:
    page = member
    screens.open_form(page)
    preview = page.get_by_role("region", name="How the data is divided")
    expect(preview.locator("figure[data-chart=partition]")).to_have_attribute("data-points", "20")
    even = preview.get_by_text(re.compile("of 1$")).inner_text()
    slider = page.get_by_role("slider", name="Alpha, by dragging")
    slider.focus()
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    expect(screens.field(page, "Alpha")).to_have_value(re.compile("^0.1"))
    expect(preview.get_by_text(re.compile("of 1$"))).not_to_have_text(even)
    assert float(preview.get_by_text(re.compile("of 1$")).inner_text().split()[0]) > float(
        even.split()[0]
    )
    screens.field(page, "Clients").fill("5")
    expect(preview.locator("figure[data-chart=partition]")).to_have_attribute("data-points", "5")


def test_a_template_is_kept_started_from_and_deleted(member: Page) -> None:
    page = member
    screens.open_form(page)
    screens.field(page, "Rounds").fill("13")
    expect(page.get_by_text("Ready to launch")).to_be_visible()
    page.get_by_role("button", name="Templates").click()
    page.get_by_label("Name of the template").fill("Thirteen rounds")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Thirteen rounds is saved.")).to_be_visible()

    screens.open_form(page)
    page.get_by_role("button", name="Templates").click()
    page.get_by_role("link", name="Thirteen rounds").click()
    expect(page.get_by_text("From the template Thirteen rounds.")).to_be_visible()
    expect(screens.field(page, "Rounds")).to_have_value("13")

    page.get_by_role("button", name="Templates").click()
    page.get_by_role("button", name="Delete the template Thirteen rounds").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("link", name="Thirteen rounds")).to_have_count(0)


def test_a_file_goes_out_and_comes_back(member: Page) -> None:
    page = member
    screens.open_form(page)
    screens.field(page, "Rounds").fill("17")
    page.get_by_role("button", name="Export", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="YAML file").click()
    content = Path(download.value.path()).read_text()
    assert yaml.safe_load(content)["rounds"] == 17

    document = {**yaml.safe_load(content), "rounds": 19}
    file = FilePayload(
        name="run.json", mimeType="application/json", buffer=json.dumps(document).encode()
    )
    page.locator("input[type=file]").set_input_files(file)
    expect(screens.field(page, "Rounds")).to_have_value("19")

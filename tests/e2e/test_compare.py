"""Runs set side by side, changed together and found again, as in other trackers of runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e import screens
from tests.e2e.browser import PATIENCE_MS
from tests.e2e.conftest import Known
from tests.faults.stack import Stack

METHODS = ("FedAvg", "FedProx", "SCAFFOLD")


@pytest.fixture
def colleague(browser: Browser, stack: Stack) -> Iterator[Page]:
    """Somebody at another machine, who has been sent a link."""
    context = browser.new_context(base_url=stack.url)
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def start(page: Page, method: str) -> None:
    """Start a short run of a method from wherever one is."""
    page.get_by_role("link", name="New run").first.click()
    algorithm = page.get_by_role("combobox", name="Algorithm")
    algorithm.click()
    algorithm.fill(method)
    page.get_by_role("option", name=re.compile(f"^{method} ")).click()
    screens.fill(page, {"Name": f"Trial of {method}", "Rounds": "3"})
    expect(page.get_by_text("Ready to launch")).to_be_visible()
    page.get_by_role("button", name="Launch run").click()
    expect(page.get_by_role("heading", name=f"Trial of {method}", level=1)).to_be_visible()


def select(page: Page, names: list[str]) -> Locator:
    """Tick runs in the list and return what can be done with them."""
    for name in names:
        page.get_by_role("checkbox", name=f"Select {name}").check()
    return page.get_by_role("region", name="Selected runs")


def exported(page: Page, figure: str, kind: str) -> bytes:
    page.get_by_role("button", name=f"Export {figure}").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name=re.compile(kind)).click()
    return download.value.path().read_bytes()


def expect_curves_against_bytes(page: Page) -> None:
    figure = screens.chart(page)
    expect(figure).to_have_attribute("data-points", "3")
    expect(figure.get_by_text("Traffic, both ways")).to_be_visible()
    for method in METHODS:
        expect(figure.get_by_text(f"Trial of {method}")).to_be_visible()
    expect(page.get_by_role("radio", name="Bytes")).to_be_checked()


def test_three_methods_are_started_watched_compared_exported_and_shared(
    member: Page, colleague: Page
) -> None:
    """What somebody who knows Weights & Biases does without being told how."""
    page = member
    page.goto("/runs")
    for method in METHODS:
        start(page, method)

    page.get_by_role("link", name="Runs", exact=True).first.click()
    page.get_by_role("searchbox").fill("trial of")
    expect(page.get_by_role("checkbox", name=re.compile("^Select Trial"))).to_have_count(3)
    rows = page.get_by_role("row", name=re.compile("Trial of"))
    expect(rows.get_by_text("Succeeded")).to_have_count(3)
    expect(rows.get_by_role("img", name="Accuracy over 3 points")).to_have_count(3)

    select(page, [f"Trial of {method}" for method in METHODS]).get_by_role(
        "link", name="Compare"
    ).click()
    page.get_by_text("Bytes", exact=True).click()
    expect_curves_against_bytes(page)

    drawing = exported(page, "compare Test accuracy", "SVG").decode()
    for text in ("Test accuracy", "Traffic, both ways", *(f"Trial of {name}" for name in METHODS)):
        assert text in drawing
    assert exported(page, "compare Test accuracy", "PNG").startswith(b"\x89PNG")
    numbers = exported(page, "compare Test accuracy", "CSV").decode().splitlines()
    assert len(numbers) == 1 + 3 * len(METHODS)

    page.reload()
    expect_curves_against_bytes(page)

    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    colleague.goto(page.evaluate("navigator.clipboard.readText()"))
    screens.give_password(colleague)
    expect_curves_against_bytes(colleague)


def test_the_ways_to_compare_show_differences_costs_and_a_table(member: Page, known: Known) -> None:
    page = member
    page.goto(f"/compare?runs={known.run},{known.failed}")
    chosen = page.get_by_role("list", name="Compared runs")
    expect(chosen.get_by_role("listitem")).to_have_count(2)

    page.get_by_role("tab", name="Cost").click()
    page.get_by_role("combobox", name="Cost").click()
    page.get_by_role("option", name="Training time").click()
    expect(screens.chart(page, "cost")).to_contain_text("Test accuracy against training time")
    page.reload()
    expect(page.get_by_role("combobox", name="Cost")).to_have_value("Training time")

    page.get_by_role("tab", name="Settings").click()
    table = page.get_by_role("table")
    expect(table.get_by_role("row", name="Local: learning rate 0.1 1000")).to_be_visible()
    expect(table.get_by_role("row", name=re.compile("Partition"))).to_have_count(0)

    page.get_by_role("tab", name="Table").click()
    page.get_by_text("LaTeX", exact=True).click()
    expect(page.get_by_text(re.compile(r"\\begin\{tabular\}"))).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename.endswith(".tex")

    page.get_by_role("button", name="Take Diverges out").click()
    expect(chosen.get_by_role("listitem")).to_have_count(1)
    assert known.failed not in page.url


def test_runs_are_starred_tagged_trashed_and_restored_together(member: Page, stack: Stack) -> None:
    page, names = member, ["Bulk one", "Bulk two"]
    with stack.client() as client:
        for name in names:
            client.submit(name=name, spec={"rounds": 1})
    page.goto("/runs?search=bulk")
    for name in names:
        row = page.get_by_role("row", name=re.compile(name))
        expect(row.get_by_text("Succeeded")).to_be_visible()
    selected = select(page, names)
    expect(selected.get_by_role("status")).to_have_text("2 runs selected")
    selected.get_by_role("button", name="Star").click()
    for name in names:
        expect(page.get_by_role("button", name=f"Remove the star of {name}")).to_be_visible()

    selected.get_by_role("button", name="Add tag").click()
    page.get_by_label("Tag", exact=True).fill("paper")
    page.keyboard.press("Enter")
    for name in names:
        row = page.get_by_role("row", name=re.compile(name))
        expect(row.get_by_text("paper", exact=True)).to_be_visible()
    page.keyboard.press("Escape")

    selected.get_by_role("button", name="Move to trash").click()
    expect(page.get_by_text("No run matches")).to_be_visible()
    page.get_by_role("button", name="Trash").click()
    select(page, names).get_by_role("button", name="Restore").click()
    expect(page.get_by_role("checkbox", name=re.compile("^Select Bulk"))).to_have_count(0)
    page.get_by_role("button", name="Trash").click()
    expect(page.get_by_role("checkbox", name=re.compile("^Select Bulk"))).to_have_count(2)


@pytest.mark.usefixtures("known")
def test_a_view_of_the_list_is_saved_and_found_again(on_runs: Page) -> None:
    page = on_runs
    page.get_by_role("search").get_by_role("button", name="State").click()
    page.get_by_role("checkbox", name=re.compile("^Failed")).check()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("checkbox", name="Traffic").check()
    page.keyboard.press("Escape")
    page.get_by_role("columnheader", name="Rounds").get_by_role("button").click()
    expect(page.get_by_role("columnheader", name="Traffic")).to_be_visible()

    page.get_by_role("button", name="Views").click()
    page.get_by_label("Name of the view").fill("What went wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="What went wrong")).to_be_visible()

    page.goto("/runs")
    page.get_by_role("button", name="Views").click()
    page.get_by_role("link", name="What went wrong").click()
    expect(page.get_by_role("columnheader", name="Traffic")).to_be_visible()
    expect(page.get_by_role("link", name="Diverges").first).to_be_visible()
    expect(page.get_by_text("Succeeded")).to_have_count(0)
    assert "state=failed" in page.url

    page.get_by_role("button", name="Views").click()
    page.get_by_role("button", name="Delete the view What went wrong").click()
    expect(page.get_by_role("link", name="What went wrong")).to_have_count(0)

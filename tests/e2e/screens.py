"""The screens as a person uses them: by labels, roles and texts."""

from __future__ import annotations

from collections.abc import Mapping

from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as TooLateError

from tests.e2e.browser import PATIENCE_MS
from tests.faults.stack import PASSWORD

#: The router's promise is kept when the screen is there; two frames later it has been drawn.
_GO = """async (address) => {
  await window.__TSR_ROUTER__.navigate({ href: address });
  for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
}"""


def sign_in(page: Page, password: str = PASSWORD) -> None:
    page.goto("/sign-in")
    give_password(page, password)


def give_password(page: Page, password: str = PASSWORD) -> None:
    """Sign in where somebody who is not is asked to, whatever they came for."""
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def open_form(page: Page) -> None:
    page.goto("/new")
    expect(page.get_by_role("form", name="New run")).to_be_visible()


def fill(page: Page, settings: Mapping[str, str]) -> None:
    """Fill inputs by their labels."""
    for label, value in settings.items():
        field(page, label).fill(value)


def field(page: Page, label: str) -> Locator:
    return page.get_by_role("textbox", name=label, exact=True)


def launch(page: Page, settings: Mapping[str, str]) -> str:
    """Launch a run by the form and return its id; the run's page is open then."""
    open_form(page)
    fill(page, settings)
    expect(page.get_by_text("Ready to launch")).to_be_visible()
    page.get_by_role("button", name="Launch run").click()
    page.wait_for_url("**/runs/*-*")
    return page.url.rstrip("/").rpartition("/")[2].partition("?")[0]


def chart(page: Page, metric: str = "accuracy") -> Locator:
    return page.locator(f"figure[data-chart={metric}]")


def num_points(page: Page, metric: str = "accuracy") -> int:
    return int(chart(page, metric).get_attribute("data-points") or 0)


def wait_for_points(page: Page, more_than: int, metric: str = "accuracy") -> int:
    """Wait until the chart has more points than that, and return how many."""
    page.wait_for_function(
        "([metric, count]) => {"
        "  const figure = document.querySelector(`figure[data-chart=${metric}]`);"
        "  return figure !== null && Number(figure.dataset.points) > count;"
        "}",
        arg=[metric, more_than],
        timeout=PATIENCE_MS,
    )
    return num_points(page, metric)


def expect_state(page: Page, state: str) -> None:
    expect(page.locator(f"header [data-state={state}]")).to_be_visible(timeout=3 * PATIENCE_MS)


def overflow_of(page: Page) -> int:
    """Return by how many pixels the page is wider than its window."""
    return int(
        page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    )


def has_room(page: Page) -> bool:
    """Return whether the page fits into its window, once charts have taken their new size."""
    try:
        page.wait_for_function(
            "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth",
            timeout=5_000,
        )
    except TooLateError:
        return False
    return True


def is_dark(page: Page) -> bool:
    """Return whether the page is drawn light on dark."""
    red, green, blue = page.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"
    )
    return bool(red + green + blue < 3 * 128)


def go(page: Page, address: str) -> None:
    """Go to another screen as a link does, without loading the application again."""
    page.evaluate(_GO, address)


def wait_until_complete(page: Page) -> None:
    """Wait until nothing of the screen is on its way any more, charts included."""
    expect(page.locator("h1, h2").first).to_be_visible()
    page.wait_for_function("() => document.querySelector('.mantine-Skeleton-root') === null")

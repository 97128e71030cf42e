"""Every screen while its data are on their way, when they do not come, and when there are none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, Route, ViewportSize, expect

from tests.e2e import screens
from tests.e2e.conftest import Known

WIDE: ViewportSize = {"width": 3840, "height": 2160}
MESSAGE = "The shelf is being moved."
ON_SITES = '{"dataset": {"kind": "sites"}}'
NO_SITES = {"project": "", "project_name": "Default", "sites": [], "unknown_names": []}
REFUSAL = {"code": "conflict", "message": MESSAGE, "fields": {}}


@dataclass
class Gate:
    """Holds back the first answer of an endpoint until it is told what to answer."""

    page: Page
    pattern: str
    held: Route | None = None

    def close(self) -> None:
        self.page.route(self.pattern, self._hold)

    def _hold(self, route: Route) -> None:
        if self.held is None:
            self.held = route
        else:
            route.abort()

    def refuse(self) -> None:
        assert self.held is not None, self.pattern
        self.held.fulfill(status=409, json=REFUSAL)
        self.page.unroute(self.pattern)


def test_every_screen_waits_fails_in_words_and_recovers(member: Page, known: Known) -> None:
    run = f"/runs/{known.run}"
    member.goto("/settings?tab=projects")
    project = member.get_by_role("link", name="Open Default").get_attribute("href") or ""
    for address, endpoint in (
        ("/", "**/api/v1/runs/facets/"),
        ("/runs", "**/api/v1/runs/"),
        (f"/compare?runs={known.run},{known.failed}", "**/api/v1/compare/?*"),
        ("/sweeps", "**/api/v1/sweeps/"),
        (f"/sweeps/{known.sweep}", "**/api/v1/jobs/*/sweep/"),
        ("/sweeps/new", "**/api/v1/spec/schema/"),
        ("/catalogue", "**/api/v1/catalogue/"),
        ("/catalogue/algorithm/fedavg", "**/api/v1/catalogue/"),
        ("/new", "**/api/v1/spec/schema/"),
        (run, f"**/api/v1{run}/"),
        (f"{run}?tab=metrics", "**/metrics/?*"),
        (f"{run}?tab=clients", "**/clients/"),
        (f"{run}?tab=data", "**/clients/"),
        (f"{run}?tab=topology", "**/clients/"),
        (f"{run}?tab=log", "**/logs/?*"),
        (f"{run}?tab=model", "**/artifacts/"),
        ("/sites", "**/api/v1/sites/"),
        (f"/sites/{known.site}", "**/api/v1/sites/*/"),
        (f"/sites/{known.site}", "**/api/v1/sites/*/tasks/"),
        ("/settings?tab=sessions", "**/auth/sessions/"),
        ("/settings?tab=tokens", "**/api/v1/tokens/?*"),
        ("/settings?tab=people", "**/api/v1/users/?*"),
        (project, "**/api/v1/projects/*/"),
        ("/audit", "**/api/v1/audit/"),
    ):
        gate = Gate(member, endpoint)
        gate.close()
        with member.expect_request(endpoint):
            member.goto(address)
        expect(member.get_by_role("status").first, address).to_be_visible()
        expect(member.get_by_role("alert"), address).to_have_count(0)
        gate.refuse()
        expect(member.get_by_role("alert").first, address).to_contain_text(MESSAGE)
        member.get_by_role("button", name="Try again").first.click()
        expect(member.get_by_role("alert"), address).to_have_count(0)
        expect(member.locator("h1"), address).to_be_visible()


def test_screens_without_anything_say_how_to_begin(member: Page, known: Known) -> None:
    nothing: dict[str, Any] = {"next": None, "previous": None, "results": []}
    facets = {"states": [], "methods": [], "datasets": [], "tags": [], "trashed": 0}
    member.route("**/api/v1/runs/", lambda route: route.fulfill(json=nothing))
    member.route("**/api/v1/sweeps/", lambda route: route.fulfill(json=nothing))
    member.route("**/api/v1/tokens/?*", lambda route: route.fulfill(json=nothing))
    member.route("**/api/v1/sites/", lambda route: route.fulfill(json=nothing))
    member.route("**/api/v1/sites/eligibility/", lambda route: route.fulfill(json=NO_SITES))
    member.route("**/api/v1/runs/facets/", lambda route: route.fulfill(json=facets))
    for address, text in (
        ("/", "Your first run"),
        ("/runs", "No runs yet"),
        ("/sweeps", "No sweeps yet"),
        ("/compare", "Nothing to compare yet"),
        ("/sites", "No sites yet"),
        (f"/sites/{known.site}", "It was asked for nothing yet."),
        (f"/new?spec={quote(ON_SITES)}", "No site is enrolled"),
        ("/catalogue?search=nothing+is+called+so", "Nothing matches"),
        ("/settings?tab=tokens", "No tokens yet."),
        ("/audit?actor=nobody", "No entries"),
    ):
        member.goto(address)
        expect(member.get_by_text(text), address).to_be_visible()


@pytest.mark.usefixtures("known")
def test_a_page_that_is_offline_says_so_and_catches_up(member: Page) -> None:
    member.goto("/")
    expect(member.get_by_role("list", name="Failed")).to_be_visible()
    member.context.set_offline(True)
    expect(member.get_by_text("You are offline.")).to_be_visible()
    expect(member.get_by_role("list", name="Failed")).to_be_visible()
    member.context.set_offline(False)
    expect(member.get_by_text("You are offline.")).to_have_count(0)


def test_a_very_wide_window_is_used_without_lines_that_nobody_can_read(
    member: Page, known: Known
) -> None:
    member.set_viewport_size(WIDE)
    for address in ("/", "/runs", f"/runs/{known.run}", "/catalogue", f"/sweeps/{known.sweep}"):
        member.goto(address)
        screens.wait_until_complete(member)
        assert screens.overflow_of(member) == 0
        content = member.locator("main").bounding_box()
        assert content is not None
        assert 1200 < content["width"] < 1800

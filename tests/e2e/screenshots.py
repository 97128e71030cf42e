"""Pictures of every screen for the documentation: ``python -m tests.e2e.screenshots``.

They show a real installation with real runs, in light and dark and as wide as a phone.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect

from benchmarks.priority import get_ahead, get_children_ahead
from tests import services
from tests.e2e import screens
from tests.e2e.browser import PATIENCE_MS, chromium, what_is_missing
from tests.e2e.neighbours import Neighbour, settle
from tests.faults.stack import ROOT, Stack, wait_for_end, wait_for_rounds
from tests.waiting import wait_until

TARGET = ROOT / "docs" / "images"
#: Screens have few colours; a palette makes the files a third as large and looks the same.
COLOURS = 192

DIGITS: dict[str, Any] = {"rounds": 20, "partition": {"kind": "dirichlet", "clients": 20}}
#: Clients diverge and their updates are refused, until too few are left.
DIVERGING: dict[str, Any] = {
    **DIGITS,
    "local": {"optimizer": "sgd", "lr": 1000.0, "epochs": 5},
    "runtime": {"min_updates": 10},
}
TORUS: dict[str, Any] = {
    **DIGITS,
    "rounds": 5,
    "algorithm": {"kind": "dfedsam"},
    "topology": {"kind": "torus"},
    "sampling": {"kind": "full"},
}
ON_SITES = '{"dataset": {"kind": "sites"}}'
#: Heard of once, and online for as long as the pictures take.
PATIENT = {**services.EMBEDDED_ENVIRONMENT, "ROUNDHOUSE_SITE_HEARTBEAT_S": "3600"}
SITES = (
    Neighbour("Ward 3", policy={"min_cohort": 2}),
    Neighbour("Ward 7", 412, 103, policy={"min_cohort": 3, "approval": "manual"}),
    Neighbour("Cardiology", 97, 24, policy={"max_work": {"rounds": 10}, "methods": ["fedprox"]}),
    Neighbour("Rehabilitation", columns=()),
)
ENDLESS: dict[str, Any] = {**DIGITS, "rounds": 100_000}


@dataclass(frozen=True)
class View:
    """One way to look at a screen."""

    name: str
    scheme: Literal["light", "dark"]
    size: ViewportSize


VIEWS = (
    View("light", "light", {"width": 1280, "height": 800}),
    View("dark", "dark", {"width": 1280, "height": 800}),
    View("phone", "light", {"width": 360, "height": 740}),
)


@dataclass(frozen=True)
class Scene:
    """A screen: where it is, and what to do and wait for until it is complete."""

    name: str
    address: str
    prepare: Callable[[Page], None]


def shows(text: str) -> Callable[[Page], None]:
    return lambda page: expect(page.get_by_text(text).first).to_be_visible()


def _draws_charts(page: Page) -> None:
    expect(page.locator("canvas").first).to_be_visible()
    screens.wait_until_complete(page)


def _has_understood(page: Page) -> None:
    box = page.get_by_role("textbox", name="Describe the run")
    box.fill("FedProx with mu 0.1 on the digits, 30 clients, very uneven, until 95 % accuracy")
    box.press("Enter")
    expect(page.get_by_role("table", name="What was understood")).to_be_visible()


def _opens_the_project(page: Page) -> None:
    page.get_by_role("link", name="Open Default").click()
    expect(page.get_by_role("heading", name="Default", level=1)).to_be_visible()


def _opens_the_palette(page: Page) -> None:
    expect(page.get_by_role("heading", name="Runs", level=1)).to_be_visible()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog").get_by_text("New sweep")).to_be_visible()


def _has_problems(page: Page) -> None:
    screens.fill(page, {"Clients": "0", "Learning rate": "fast"})
    expect(page.get_by_text("2 things to mend")).to_be_visible()


def _puts_the_run_on_sites(page: Page) -> None:
    for label, option in (("Data set on the sites", "heart"), ("To predict", "disease")):
        page.get_by_role("combobox", name=label).click()
        page.get_by_role("option").filter(has_text=option).click()
    shows("Would refuse")(page)
    shows("Would take part once a person there has approved the run")(page)
    page.get_by_role("heading", name="Sites", level=3).evaluate("part => part.scrollIntoView()")


def _is_divided(page: Page) -> None:
    expect(page.locator("figure[data-chart=partition]")).to_be_visible()
    _draws_charts(page)


def _asks_to_cancel(page: Page) -> None:
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_role("dialog", name="Cancel this run?")).to_be_visible()


def live_scenes(runs: dict[str, str]) -> list[Scene]:
    """Return what is only to be seen while a run goes on."""
    live = f"/runs/{runs['live']}"
    return [
        Scene("home", "/", shows("Digits, a long run")),
        Scene("run-live", live, _draws_charts),
        Scene("run-cancel", live, _asks_to_cancel),
    ]


def scenes(runs: dict[str, str]) -> list[Scene]:
    done, failed = (f"/runs/{runs[name]}" for name in ("done", "failed"))
    return [
        Scene("sweeps", "/sweeps", shows("Learning rate and batch size")),
        Scene("sweep", f"/sweeps/{runs['sweep']}", shows("Points and their runs")),
        Scene("sweep-new", "/sweeps/new", shows("Add a setting")),
        Scene("catalogue", "/catalogue", shows("FedProx")),
        Scene("catalogue-entry", "/catalogue/algorithm/fedprox", shows("Open in New run")),
        Scene("runs", "/runs", shows("Succeeded")),
        Scene("new-run", "/new", _is_divided),
        Scene("new-run-problems", "/new", _has_problems),
        Scene("new-run-yaml", "/new?view=yaml", shows("Ready to launch")),
        Scene("new-run-words", "/new?view=prompt", _has_understood),
        Scene("run", done, _draws_charts),
        Scene("run-failed", failed, shows("This run failed")),
        Scene("run-metrics", f"{done}?tab=metrics", _draws_charts),
        Scene("run-clients", f"{done}?tab=clients", shows("All clients")),
        Scene("run-data", f"{done}?tab=data", shows("Data of the clients")),
        Scene("run-topology", f"{done}?tab=topology", shows("Took part in the latest round")),
        Scene("run-log", f"{done}?tab=log", shows("Round 19 finished")),
        Scene("compare", f"/compare?runs={runs['done']},{runs['other']}", shows("Test accuracy")),
        Scene(
            "compare-cost", f"/compare?runs={runs['done']},{runs['other']}&tab=cost", _draws_charts
        ),
        Scene("run-spec", f"{done}?tab=spec", shows("Copy as JSON")),
        Scene("run-model", f"{done}?tab=model", shows("Download model.safetensors")),
        Scene("run-topology-torus", f"/runs/{runs['torus']}?tab=topology", _draws_charts),
        Scene("sites", "/sites", shows("Ward 3")),
        Scene("site", f"/sites/{runs['site']}", shows("It was asked for nothing yet.")),
        Scene("new-run-sites", "/new?spec=" + quote(ON_SITES), _puts_the_run_on_sites),
        Scene("settings", "/settings", shows("Change password")),
        Scene("settings-security", "/settings?tab=security", shows("Set up")),
        Scene("settings-tokens", "/settings?tab=tokens", shows("Create token")),
        Scene("project", "/settings?tab=projects", _opens_the_project),
        Scene("audit", "/audit", shows("session.start")),
        Scene("palette", "/runs", _opens_the_palette),
    ]


def prepare_runs(stack: Stack) -> dict[str, str]:
    """Launch the runs that the pictures show, and return their ids."""
    with stack.client() as client:

        def launch(name: str, spec: dict[str, Any]) -> Any:
            return client.submit(name=name, spec=spec).runs[0]

        done = launch("Digits, uneven clients", DIGITS)
        other = launch("Digits, SCAFFOLD", {**DIGITS, "algorithm": {"kind": "scaffold"}})
        failed = launch("Learning rate far too high", DIVERGING)
        wait_for_end(client, done)
        wait_for_end(client, other)
        wait_for_end(client, failed)
        axes = {"local.lr": [0.01, 0.05, 0.2], "local.batch_size": [16, 64]}
        document = {"base": {"rounds": 4}, "axes": axes, "seeds": 2}
        sweep = client.submit_sweep(name="Learning rate and batch size", sweep=document)
        wait_until(
            lambda: client.sweep(sweep.id).state == "finished",
            within_s=PATIENCE_MS / 1000,
            every_s=0.2,
            what="the end of the sweep",
        )
        torus = launch("Without a server, on a torus", TORUS)
        wait_for_end(client, torus)
        live = launch("Digits, a long run", ENDLESS)
        wait_for_rounds(client, live, 12)
        launch("Waits for a worker", DIGITS)
        return {
            "done": str(done.id),
            "other": str(other.id),
            "failed": str(failed.id),
            "live": str(live.id),
            "torus": str(torus.id),
            "sweep": str(sweep.id),
            "site": settle(stack, *SITES).sites[0],
        }


def _open(browser: Browser, stack: Stack, view: View) -> Page:
    context = browser.new_context(
        base_url=stack.url,
        viewport=view.size,
        color_scheme=view.scheme,
        reduced_motion="reduce",
        timezone_id="Europe/Berlin",
        locale="en-GB",
    )
    context.set_default_timeout(PATIENCE_MS)
    return context.new_page()


def _keep(page: Page, scene: str, view: View) -> None:
    page.wait_for_load_state("networkidle")
    picture = Image.open(io.BytesIO(page.screenshot(animations="disabled", caret="hide")))
    path = TARGET / f"{scene}-{view.name}.png"
    picture.convert("RGB").quantize(COLOURS).save(path, optimize=True)
    sys.stderr.write(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} KiB\n")


def _draw(pages: list[tuple[View, Page]], drawn: list[Scene]) -> None:
    for view, page in pages:
        for scene in drawn:
            page.goto(scene.address)
            scene.prepare(page)
            _keep(page, scene.name, view)


def main() -> int:
    missing = what_is_missing()
    if missing:
        sys.stderr.write(f"screenshots: {missing}\n")
        return 2
    get_ahead()
    expect.set_options(timeout=PATIENCE_MS)
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        stack = Stack(Path(folder), PATIENT)
        try:
            stack.start()
            pages = [(view, _open(browser, stack, view)) for view in VIEWS]
            get_children_ahead()
            for view, page in pages:
                page.goto("/sign-in")
                shows("Sign in")(page)
                _keep(page, "sign-in", view)
                screens.sign_in(page)
                shows("Your first run")(page)
                _keep(page, "home-empty", view)
                page.goto("/runs")
                shows("No runs yet")(page)
                _keep(page, "runs-empty", view)
                page.goto("/sites")
                shows("No sites yet")(page)
                _keep(page, "sites-empty", view)
            runs = prepare_runs(stack)
            _draw(pages, live_scenes(runs))
            with stack.client() as client:
                client.control(runs["live"], "cancel")
            _draw(pages, scenes(runs))
        finally:
            stack.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

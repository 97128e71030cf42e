"""Many long curves that grow while they are looked at: how long the browser's page is ever busy.

Run it with ``python -m benchmarks.charts``; it needs Chromium, the built front end, PostgreSQL and
Redis (see ``tests/services.py``). The page is the Metrics tab of a run with 20 metrics and 10,000
recorded rounds, whole, as a user opens it. Another process records further rounds ten times a
second through the service that workers call, and the page receives them by its websocket.
Meanwhile the pointer moves over the charts. Chromium's own trace says how long each task of the
page's main thread took: a frame cannot come while one is under way.

On a machine that is shared, a task also waits for its processor. So its own processor time is given
beside the time on the clock.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import sys
from dataclasses import dataclass
from multiprocessing import get_context
from time import monotonic
from typing import Any
from uuid import UUID

from playwright.sync_api import Page, expect

from benchmarks.document import Section, add_write_option, machine, note, table
from benchmarks.lists import percentile
from benchmarks.priority import get_ahead, get_children_ahead
from benchmarks.website import website
from tests.e2e import screens
from tests.e2e.browser import PATIENCE_MS, chromium, what_is_missing

GOAL_MS = 50.0
HERTZ = 10.0
CURVES = 20
POINTS = 10_000
_CATEGORIES = "devtools.timeline,disabled-by-default-devtools.timeline,toplevel"
#: Times between frames, kept by the page itself.
_COUNT_FRAMES = """() => {
  window.frames_ = [];
  let last = performance.now();
  const tick = (now) => {
    window.frames_.push(now - last);
    last = now;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}"""


@dataclass(frozen=True)
class Trace:
    """What the page's main thread did, in milliseconds.

    Attributes:
        tasks: Time of each task on the clock.
        busy: Processor time of each task.
        frames: Time between each frame and the one before.
        drawn: How many of the new rounds were drawn in the end.
        recorded: How many there were.
    """

    tasks: list[float]
    busy: list[float]
    frames: list[float]
    drawn: int
    recorded: int

    @property
    def is_smooth(self) -> bool:
        """Whether no task was too long for a frame, and everything new was drawn."""
        return max(self.busy) <= GOAL_MS and self.drawn >= self.recorded


def metrics_at(index: int) -> dict[str, float | None]:
    """Return a point of every curve: noise around something that saturates."""
    rise = 1 - math.exp(-index / 2_000)
    generator = random.Random(index)  # noqa: S311 (a picture)
    return {
        f"curve_{n:02}": rise * (0.5 + n / 40) + generator.gauss(0, 0.02) for n in range(CURVES)
    }


def play(run_id: UUID, rounds: int, ready: Any, go: Any) -> None:
    """Be the worker: have a long past, then record a round every tenth of a second."""
    import django  # noqa: PLC0415  (a new process: the environment comes first)

    django.setup()
    from tests.factories import report  # noqa: PLC0415
    from webapp.jobs import services  # noqa: PLC0415
    from webapp.jobs.clock import database_now  # noqa: PLC0415
    from webapp.jobs.models import RoundRecord, Run  # noqa: PLC0415

    lease = services.acquire_lease(run_id=run_id, holder="benchmark")
    if lease is None:
        raise RuntimeError("the run cannot be taken")
    services.mark_running(lease=lease, executor="sequential")
    costs = {"bytes_up": 1_000, "bytes_down": 2_000, "seconds": 0.1, "sim_seconds": 1.0}
    now = database_now()
    RoundRecord.objects.bulk_create(
        [
            RoundRecord(
                run_id=run_id,
                round_index=index,
                metrics=metrics_at(index),
                participants=2,
                recorded_at=now,
                **costs,
            )
            for index in range(POINTS)
        ],
        batch_size=1_000,
    )
    Run.objects.filter(pk=run_id).update(rounds_done=POINTS)
    ready.set()
    go.wait()
    began, pause = monotonic(), get_context("spawn").Event()
    for done in range(rounds):
        pause.wait(max(0.0, began + done / HERTZ - monotonic()))
        services.renew_lease(lease=lease)
        index = POINTS + done
        services.record_round(lease=lease, report=report(index, metrics=metrics_at(index)))


def main_thread(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the tasks of the page's main thread: that which spent most time on scripts."""
    spent: dict[tuple[int, int], float] = {}
    for event in events:
        if event["name"] in {"FunctionCall", "EvaluateScript"}:
            place = (event["pid"], event["tid"])
            spent[place] = spent.get(place, 0.0) + event.get("dur", 0)
    busiest = max(spent, key=lambda place: spent[place])
    return [
        event
        for event in events
        if event["name"] in {"RunTask", "ThreadControllerImpl::RunTask"}
        and event["ph"] == "X"
        and (event["pid"], event["tid"]) == busiest
    ]


def _new_rounds(page: Page) -> int:
    return screens.num_points(page, "curve_00") - POINTS


def watch(page: Page, run_id: UUID, rounds: int, go: Any) -> Trace:
    """Trace the page while rounds arrive and the pointer moves."""
    page.goto(f"/runs/{run_id}?tab=metrics")
    screens.wait_for_points(page, more_than=POINTS - 1, metric="curve_00")
    screens.wait_until_complete(page)
    expect(page.locator("canvas").first).to_be_visible()
    charts = page.locator("figure canvas")
    box = charts.first.bounding_box()
    if box is None:
        raise RuntimeError("no chart is drawn")
    browser = page.context.browser
    if browser is None:
        raise RuntimeError("the browser has gone")
    page.evaluate(_COUNT_FRAMES)
    browser.start_tracing(page=page, categories=_CATEGORIES.split(","))
    go.set()
    deadline, step = monotonic() + rounds / HERTZ + 60, 0
    while _new_rounds(page) < rounds and monotonic() < deadline:
        step += 1
        across = 0.1 + 0.8 * (step % 40) / 40
        page.mouse.move(box["x"] + box["width"] * across, box["y"] + box["height"] / 2)
        page.wait_for_timeout(100)
    events = json.loads(browser.stop_tracing())["traceEvents"]
    tasks = main_thread(events)
    return Trace(
        tasks=[task["dur"] / 1000 for task in tasks],
        busy=[task.get("tdur", task["dur"]) / 1000 for task in tasks],
        frames=page.evaluate("() => window.frames_"),
        drawn=_new_rounds(page),
        recorded=rounds,
    )


def report_on(section: Section, trace: Trace) -> None:
    """Print the table."""

    def figures(name: str, values: list[float]) -> tuple[str, ...]:
        over = sum(value > GOAL_MS for value in values)
        parts = (f"{percentile(values, percent):.1f}" for percent in (50, 99, 100))
        return (name, str(len(values)), *parts, str(over))

    header = ("", "number", "median, ms", "p99, ms", "longest, ms", f"over {GOAL_MS:.0f} ms")
    rows = [
        figures("tasks of the main thread, processor time", trace.busy),
        figures("the same, on the clock", trace.tasks),
        figures("time from frame to frame", trace.frames),
    ]
    section.say(*table(header, rows), "")
    section.say(f"New rounds that were drawn: {trace.drawn} of {trace.recorded}.")


def main() -> int:
    """Print the table; return 1 if a task was too long or a round was not drawn."""
    parser = argparse.ArgumentParser(description="Trace charts while they grow.")
    parser.add_argument("--seconds", type=float, default=20)
    add_write_option(parser)
    arguments = parser.parse_args()
    missing = what_is_missing()
    if missing:
        note(f"charts: {missing}")
        return 2
    get_ahead()
    expect.set_options(timeout=PATIENCE_MS)
    rounds = round(arguments.seconds * HERTZ)
    section = Section("charts", "python -m benchmarks.charts", arguments.write)
    section.say(
        f"{CURVES} curves of {POINTS:,} points in one page, {rounds} more rounds at {HERTZ:g} a "
        f"second. {machine()}",
        "",
    )
    with website() as site:
        from fedcore.spec import RunSpec  # noqa: PLC0415  (Django's models exist after setup only)
        from webapp.accounts.models import Project, User  # noqa: PLC0415
        from webapp.jobs.services import submit_job  # noqa: PLC0415

        job = submit_job(
            user=User.objects.get(),
            project=Project.objects.get(),
            name="many curves",
            spec=RunSpec(rounds=10 * POINTS),
            launch=True,
        )
        run_id = job.runs.get().pk
        context = get_context("spawn")
        ready, go = context.Event(), context.Event()
        player = context.Process(target=play, args=(run_id, rounds, ready, go), daemon=True)
        player.start()
        ready.wait(120)
        with chromium() as browser:
            page = browser.new_page(base_url=site.url, viewport={"width": 1280, "height": 800})
            page.set_default_timeout(PATIENCE_MS)
            get_children_ahead()
            screens.sign_in(page, os.environ["ROUNDHOUSE_ADMIN_PASSWORD"])
            expect(page.get_by_role("heading", name="Home", level=1)).to_be_visible()
            trace = watch(page, run_id, rounds, go)
        player.join(30)
    report_on(section, trace)
    section.end()
    return 0 if trace.is_smooth else 1


if __name__ == "__main__":
    sys.exit(main())

"""500 browsers watch one live run: how late an event arrives, and whether any is missed.

Run it with ``python -m benchmarks.viewers``; it needs PostgreSQL and Redis (see
``tests/services.py``). The rounds are recorded through the same service that workers call, at a
steady pace; the viewers are websockets of one process beside the server.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect

from benchmarks.document import Section, add_write_option, machine, note, table
from benchmarks.lists import percentile
from benchmarks.website import Website, website

GOAL_S = 1.0


@dataclass
class Viewer:
    """What one viewer has seen."""

    delays_s: list[float] = field(default_factory=list)
    seqs: list[int] = field(default_factory=list)
    is_ready: bool = False


async def watch(
    url: str, token: str, viewer: Viewer, last: int, opening: asyncio.Semaphore
) -> None:
    """Follow a run from its beginning until event number ``last``."""
    headers = {"Authorization": f"Bearer {token}"}
    async with opening:
        socket = await connect(
            url, additional_headers=headers, open_timeout=120, ping_interval=None, max_size=2**24
        )
    async with socket:
        async for text in socket:
            now = datetime.now(UTC)
            frame = json.loads(text)
            viewer.is_ready = True
            for event in frame.get("events", ()):
                viewer.seqs.append(event["seq"])
                if event["kind"] == "round_finished":
                    at = datetime.fromisoformat(event["at"])
                    viewer.delays_s.append((now - at).total_seconds())
            if viewer.seqs and viewer.seqs[-1] >= last:
                return


async def watch_all(
    url: str, token: str, *, count: int, last: int, started: Any, timeout_s: float
) -> list[Viewer]:
    """Open all viewers, say so, and return what they have seen."""
    viewers = [Viewer() for _ in range(count)]
    opening = asyncio.Semaphore(20)
    tasks = [asyncio.create_task(watch(url, token, v, last, opening)) for v in viewers]
    while not all(viewer.is_ready for viewer in viewers):
        failed = [task for task in tasks if task.done()]
        if failed:
            failed[0].result()
        await asyncio.sleep(0.1)
    started.set()
    await asyncio.wait(tasks, timeout=timeout_s)
    for task in tasks:
        task.cancel()
    return viewers


def play(site: Website, rounds: int, per_s: float, ready: Any, go: Any) -> None:
    """Be the worker: record a round every so often, in a process of its own."""
    del site
    import django  # noqa: PLC0415  (a new process: the environment comes first)

    django.setup()
    from tests.factories import report  # noqa: PLC0415
    from webapp.jobs import services  # noqa: PLC0415
    from webapp.jobs.models import Run  # noqa: PLC0415

    run = Run.objects.get()
    lease = services.acquire_lease(run_id=run.pk, holder="benchmark")
    if lease is None:
        raise RuntimeError("the run cannot be taken")
    services.mark_running(lease=lease, executor="sequential")
    ready.set()
    go.wait()
    began = datetime.now(UTC)
    for index in range(rounds):
        due = began.timestamp() + index / per_s
        pause = get_context("spawn").Event()
        pause.wait(max(0.0, due - datetime.now(UTC).timestamp()))
        services.renew_lease(lease=lease)
        services.record_round(lease=lease, report=report(index))


def resident_mib(pid: int) -> float:
    """Return the memory of a process in MiB."""
    fields = dict(_status(pid))
    return int(fields["VmRSS"].split()[0]) / 1024


def _status(pid: int) -> Iterator[tuple[str, str]]:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        yield name, value.strip()


def main() -> int:
    """Print the table; return 1 if an event was missed or came late."""
    parser = argparse.ArgumentParser(description="Measure live updates with many viewers.")
    parser.add_argument("--viewers", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--per-s", type=float, default=2.0, help="rounds per second")
    add_write_option(parser)
    arguments = parser.parse_args()
    section = Section("viewers", "python -m benchmarks.viewers", arguments.write)
    with website() as site:
        outcome = _measure(site, arguments.viewers, arguments.rounds, arguments.per_s)
    viewers, memory = outcome
    delays = [delay for viewer in viewers for delay in viewer.delays_s]
    complete = sum(
        viewer.seqs == list(range(1, max(viewer.seqs, default=0) + 1)) for viewer in viewers
    )
    all_seen = sum(len(viewer.delays_s) == arguments.rounds for viewer in viewers)
    section.say(
        f"{arguments.viewers} viewers, {arguments.rounds} rounds at {arguments.per_s:g} a second."
        f" {machine()}",
        "",
    )
    header = ("viewers", "median, ms", "p99, ms", "worst, ms", "saw every event", "in order, once")
    row = (
        str(len(viewers)),
        *(f"{1000 * percentile(delays, percent):.0f}" for percent in (50, 99, 100)),
        f"{all_seen}/{len(viewers)}",
        f"{complete}/{len(viewers)}",
    )
    section.say(*table(header, [row]), "")
    section.say("Memory of the web process, MiB: " + ", ".join(f"{k} {v:.0f}" for k, v in memory))
    section.end()
    is_whole = all_seen == complete == len(viewers)
    return 0 if is_whole and percentile(delays, 99) < GOAL_S else 1


def _measure(
    site: Website, count: int, rounds: int, per_s: float
) -> tuple[list[Viewer], list[tuple[str, float]]]:
    from fedcore.spec import RunSpec  # noqa: PLC0415  (Django's models exist after setup only)
    from webapp.accounts.models import Project, User  # noqa: PLC0415
    from webapp.jobs.services import submit_job  # noqa: PLC0415

    job = submit_job(
        user=User.objects.get(),
        project=Project.objects.get(),
        name="watched",
        spec=RunSpec(rounds=rounds),
        launch=True,
    )
    run = job.runs.get()
    context = get_context("spawn")
    ready, go = context.Event(), context.Event()
    player = context.Process(target=play, args=(site, rounds, per_s, ready, go), daemon=True)
    player.start()
    ready.wait(120)
    memory = [("without viewers", resident_mib(site.pid))]
    before = 3  # queued, starting, running
    url = f"{site.url.replace('http', 'ws', 1)}/ws/runs/{run.pk}/?after=0"

    class Started:
        @staticmethod
        def set() -> None:
            memory.append(("all connected", resident_mib(site.pid)))
            note("all connected")
            go.set()

    timeout_s = rounds / per_s + 60
    viewers = asyncio.run(
        watch_all(
            url,
            site.token,
            count=count,
            last=before + rounds,
            started=Started,
            timeout_s=timeout_s,
        )
    )
    memory.append(("at the end", resident_mib(site.pid)))
    player.join(30)
    return viewers, memory


if __name__ == "__main__":
    sys.exit(main())

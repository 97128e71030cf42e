"""500 people watch one live run: how late an event arrives, and whether any is missed.

Run it with ``python -m benchmarks.viewers``; it needs PostgreSQL and Redis (see
``tests/services.py``). The rounds are recorded through the same service that workers call, at a
steady pace; the viewers are websockets of one process beside the server, each of a user of its own.
One in ten is restless: its connection is cut again and again, and it comes back asking for what
happened after the last event that it has seen.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any

from websockets.asyncio.client import connect

from benchmarks.document import Section, add_write_option, machine, note, table
from benchmarks.lists import percentile
from benchmarks.priority import get_ahead
from benchmarks.website import Website, website

GOAL_S = 1.0
#: Events before the first round: queued, starting, running.
_BEFORE = 3
_SAMPLES_BEFORE_ROUNDS = 2


#: Every so many viewers one whose connection does not last.
RESTLESS = 10
STAYS_S = 5.0


@dataclass
class Viewer:
    """Who looks, and what it has seen."""

    token: str
    is_restless: bool
    admitted_s: float = 0.0
    delays_s: list[float] = field(default_factory=list)
    seqs: list[int] = field(default_factory=list)
    is_ready: bool = False
    num_returns: int = 0

    async def watch(self, url: str, last: int) -> None:
        """Follow a run from its beginning until event number ``last``."""
        while not self._is_done(last):
            try:
                async with asyncio.timeout(STAYS_S if self.is_restless else None):
                    await self._watch_once(url, last)
            except TimeoutError:
                self.num_returns += 1

    def _is_done(self, last: int) -> bool:
        return bool(self.seqs) and self.seqs[-1] >= last

    async def _watch_once(self, url: str, last: int) -> None:
        began = perf_counter()
        after = self.seqs[-1] if self.seqs else 0
        async with connect(
            f"{url}?after={after}",
            additional_headers={"Authorization": f"Bearer {self.token}"},
            open_timeout=60,
            ping_interval=None,
            max_size=2**24,
        ) as socket:
            async for text in socket:
                self._take(str(text), datetime.now(UTC))
                self.admitted_s = self.admitted_s or perf_counter() - began
                if self._is_done(last):
                    return

    def _take(self, text: str, now: datetime) -> None:
        self.is_ready = True
        if not text.startswith('{"type":"events"'):
            return
        for event in json.loads(text)["events"]:
            self.seqs.append(event["seq"])
            if event["kind"] == "round_finished":
                self.delays_s.append((now - datetime.fromisoformat(event["at"])).total_seconds())


async def watch_all(
    url: str, tokens: Sequence[str], *, last: int, started: Callable[[], None], timeout_s: float
) -> list[Viewer]:
    """Open all viewers, say so, and return what they have seen."""
    viewers = [
        Viewer(token, is_restless=number % RESTLESS == 0)
        for number, token in enumerate(tokens, start=1)
    ]
    tasks = [asyncio.create_task(viewer.watch(url, last)) for viewer in viewers]
    while not all(viewer.is_ready for viewer in viewers):
        failed = [task for task in tasks if task.done()]
        if failed:
            failed[0].result()
        await asyncio.sleep(0.1)
    started()
    await asyncio.wait(tasks, timeout=timeout_s)
    for task in tasks:
        task.cancel()
    return viewers


def play(rounds: int, per_s: float, ready: Any, go: Any) -> None:
    """Be the worker: record a round every so often, in a process of its own."""
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
    get_ahead()
    section = Section("viewers", "python -m benchmarks.viewers", arguments.write)
    section.say(
        f"{arguments.viewers} viewers, {arguments.rounds} rounds at {arguments.per_s:g} a second."
        f" {machine()}",
        "",
    )
    with website() as site:
        viewers, memory = _measure(site, arguments.viewers, arguments.rounds, arguments.per_s)
    # Who was away when something happened learns of it late, and of nothing too late.
    delays = [delay for viewer in viewers if not viewer.num_returns for delay in viewer.delays_s]
    whole = list(range(1, arguments.rounds + _BEFORE + 1))
    complete = sum(viewer.seqs == whole for viewer in viewers)
    header = (
        "viewers",
        "all admitted within, ms",
        "median, ms",
        "p99, ms",
        "worst, ms",
        "saw every event, in order, once",
        "reconnections",
    )
    row = (
        str(len(viewers)),
        f"{1000 * max(viewer.admitted_s for viewer in viewers):.0f}",
        *(f"{1000 * percentile(delays, percent):.0f}" for percent in (50, 99, 100)),
        f"{complete}/{len(viewers)}",
        str(sum(viewer.num_returns for viewer in viewers)),
    )
    section.say(*table(header, [row]), "")
    section.say("Memory of the web process, MiB: " + ", ".join(f"{k} {v:.0f}" for k, v in memory))
    section.end()
    return 0 if complete == len(viewers) and percentile(delays, 99) < GOAL_S else 1


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
    tokens = _audience(count)
    context = get_context("spawn")
    ready, go = context.Event(), context.Event()
    player = context.Process(target=play, args=(rounds, per_s, ready, go), daemon=True)
    player.start()
    ready.wait(120)
    memory = [("without viewers", resident_mib(site.pid))]

    def started() -> None:
        memory.append(("all connected", resident_mib(site.pid)))
        note("all connected")
        go.set()

    url = f"{site.url.replace('http', 'ws', 1)}/ws/runs/{run.pk}/"
    last, timeout_s = _BEFORE + rounds, rounds / per_s + 60
    watching = watch_all(url, tokens, last=last, started=started, timeout_s=timeout_s)
    viewers = asyncio.run(_sampled(watching, rounds / per_s, site.pid, memory))
    memory.append(("at the end", resident_mib(site.pid)))
    player.join(30)
    return viewers, memory


async def _sampled(
    watching: Coroutine[Any, Any, list[Viewer]],
    seconds: float,
    pid: int,
    memory: list[tuple[str, float]],
) -> list[Viewer]:
    """Return the viewers; meanwhile note the memory in the middle of the rounds."""
    task = asyncio.create_task(watching)
    while len(memory) < _SAMPLES_BEFORE_ROUNDS and not task.done():
        await asyncio.sleep(0.2)
    await asyncio.wait([task], timeout=seconds / 2)
    memory.append(("half way", resident_mib(pid)))
    return await task


def _audience(count: int) -> list[str]:
    """Return the tokens of so many members of the project."""
    from webapp.accounts.models import Membership, Project, User  # noqa: PLC0415
    from webapp.accounts.roles import Role  # noqa: PLC0415
    from webapp.accounts.services import create_token  # noqa: PLC0415

    project, lifetime = Project.objects.get(), timedelta(hours=1)
    users = User.objects.bulk_create(User(username=f"viewer-{n}") for n in range(count))
    Membership.objects.bulk_create(
        Membership(user=user, project=project, role=Role.VIEWER) for user in users
    )
    return [create_token(user=user, name="t", lifetime=lifetime)[1] for user in users]


if __name__ == "__main__":
    sys.exit(main())

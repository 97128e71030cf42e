"""How fast lists and pages answer with 10,000 finished runs and 1,000,000 metric points.

Run it with ``python -m benchmarks.lists``; it needs PostgreSQL and Redis (see
``tests/services.py``). Beside each request a readiness check is timed, which is a bare ``SELECT 1``
and a Redis look-up behind the same server: what the machine is busy with meets both.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
from django.db import connection

from benchmarks.document import Section, add_write_option, machine, note, table
from benchmarks.priority import get_ahead
from benchmarks.website import Website, website

RUNS, ROUNDS, METRICS = 10_000, 50, 2
GOAL_MS = 200.0
_STATES = "(ARRAY['succeeded','succeeded','succeeded','failed','cancelled'])"
_METHODS = "(ARRAY['fedavg','fedprox','scaffold','feddyn'])"
_ROUNDS = """
INSERT INTO jobs_roundrecord (run_id, round_index, metrics, bytes_up, bytes_down, seconds,
    sim_seconds, participants, clients, scores, recorded_at)
SELECT r.id, i, jsonb_build_object('accuracy', random(), 'loss', random()), 1000, 2000, 0.1,
    1, 10, '[]', '[]', r.started_at
FROM jobs_run r, generate_series(0, %s) i WHERE r.id <> %s
"""
_EVENTS = """
INSERT INTO jobs_runevent (run_id, seq, kind, data, created_at)
SELECT run_id, round_index + 1, 'round_finished', jsonb_build_object('round', round_index,
    'metrics', metrics, 'bytes_up', 1000, 'bytes_down', 2000, 'seconds', 0.1, 'sim_seconds', 1,
    'participants', 10, 'recorded_at', recorded_at), recorded_at
FROM jobs_roundrecord
"""


def fill(runs: int) -> tuple[str, str]:
    """Add finished runs with rounds and events; return the ids of one of them and of its job."""
    from webapp.accounts.models import Project, User  # noqa: PLC0415  (after Django's setup)
    from webapp.jobs.models import Run  # noqa: PLC0415
    from webapp.jobs.services import submit_job  # noqa: PLC0415

    spec = _spec()
    user, project = User.objects.get(), Project.objects.get()
    job = submit_job(user=user, project=project, name="template", spec=spec, launch=True)
    template = Run.objects.get()
    columns = [str(field.column) for field in Run._meta.concrete_fields]  # noqa: SLF001
    changed = {
        "id": "gen_random_uuid()",
        "number": "n + 1",
        "name": "'run ' || n || ' of ' || mod(n, 97)",
        "state": f"{_STATES}[1 + mod(n, 5)]",
        "method": f"{_METHODS}[1 + mod(n, 4)]",
        "rounds_total": str(ROUNDS),
        "rounds_done": f"{ROUNDS} - mod(n, 7)",
        "created_at": "now() - n * interval '1 minute'",
        "queued_at": "now() - n * interval '1 minute'",
        "started_at": "now() - n * interval '1 minute'",
        "finished_at": "now() - n * interval '50 seconds'",
        "hint_due_at": "NULL",
        "last_seq": str(ROUNDS),
        "latest_metrics": "jsonb_build_object('accuracy', random(), 'loss', random())",
    }
    chosen = ", ".join(changed.get(column, f't."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO jobs_run ({names}) SELECT {chosen}"  # noqa: S608 (our own words)
            f" FROM jobs_run t, generate_series(1, {runs}) n WHERE t.id = %s",
            [template.pk],
        )
        cursor.execute(_ROUNDS, [ROUNDS - 1, template.pk])
        cursor.execute(_EVENTS)
        cursor.execute("ANALYZE")
    one = Run.objects.exclude(pk=template.pk).order_by("created_at")[runs // 2]
    return str(one.pk), str(job.pk)


def _spec() -> Any:
    from fedcore.spec import RunSpec  # noqa: PLC0415

    return RunSpec(rounds=ROUNDS)


@dataclass
class Timing:
    """Milliseconds of a request, and of the bare request beside each."""

    name: str
    ms: list[float] = field(default_factory=list)
    bare_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    def row(self) -> tuple[str, ...]:
        """Return a row of the table."""
        mine, bare = (percentile(values, 95) for values in (self.ms, self.bare_ms))
        middle = percentile(self.ms, 50)
        cpu = f"{sum(self.cpu_ms) / len(self.cpu_ms):.0f}"
        ratio = f"{mine / bare:.1f}"
        return (self.name, f"{middle:.1f}", f"{mine:.1f}", f"{bare:.1f}", ratio, cpu)


def cpu_ms_of(pid: int) -> float:
    """Return the processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def percentile(values: list[float], percent: float) -> float:
    """Return the value that ``percent`` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def requests_of(run_id: str) -> dict[str, Callable[[], str]]:
    """Return the addresses of what a person does with many runs; some differ every time."""
    pick = random.Random(0)  # noqa: S311 (the same addresses each time)
    return {
        "list, newest first": lambda: "runs/",
        "list, 200 rows": lambda: "runs/?page_size=200",
        "filter by state": lambda: f"runs/?state={pick.choice(['failed', 'cancelled'])}",
        "filter by method": lambda: f"runs/?method={pick.choice(['fedavg', 'feddyn'])}",
        "search in names": lambda: f"runs/?search=run%20{pick.randrange(1, RUNS)}",
        "search, nothing found": lambda: f"runs/?search=nothing{pick.randrange(100)}",
        "sort by name": lambda: "runs/?ordering=name",
        "sort by rounds": lambda: "runs/?ordering=-rounds_done",
        "open a run": lambda: f"runs/{run_id}/",
        "its curve": lambda: f"runs/{run_id}/metrics/",
        "its events": lambda: f"runs/{run_id}/events/",
    }


def measure(site: Website, run_id: str, turns: int) -> list[Timing]:
    """Send each request ``turns`` times, each beside a bare one."""
    timings = {name: Timing(name) for name in requests_of(run_id)}
    with httpx.Client(base_url=f"{site.url}/api/v1/", headers=site.headers, timeout=60) as client:
        for turn in range(-3, turns):  # the first ones warm the caches up
            for name, address in requests_of(run_id).items():
                before = cpu_ms_of(site.pid)
                ms = _timed(client, address())
                cpu_ms = cpu_ms_of(site.pid) - before
                bare_ms = _timed(client, "health/ready/")
                if turn >= 0:
                    timings[name].ms.append(ms)
                    timings[name].bare_ms.append(bare_ms)
                    timings[name].cpu_ms.append(cpu_ms)
    return list(timings.values())


def _timed(client: httpx.Client, address: str) -> float:
    began = perf_counter()
    client.get(address).raise_for_status()
    return 1000 * (perf_counter() - began)


def main() -> int:
    """Print the table; return 1 if a request misses the goal."""
    parser = argparse.ArgumentParser(description="Measure lists and pages with many runs.")
    parser.add_argument("--turns", type=int, default=100, help="requests of each kind")
    add_write_option(parser)
    arguments = parser.parse_args()
    get_ahead()
    section = Section("lists", "python -m benchmarks.lists", arguments.write)
    with website() as site:
        began = perf_counter()
        run_id, _ = fill(RUNS)
        note(f"filled in {perf_counter() - began:.0f} s")
        timings = measure(site, run_id, arguments.turns)
        connection.close()
    points = RUNS * ROUNDS * METRICS
    section.say(
        f"{RUNS:,} finished runs, {points:,} metric points in {RUNS * ROUNDS:,} rounds,"
        f" as many events; {arguments.turns} requests each, one after another. {machine()}",
        "",
    )
    header = (
        "request",
        "median, ms",
        "p95, ms",
        "bare p95, ms",
        "ratio of p95",
        "CPU of the web, ms",
    )
    section.say(*table(header, [timing.row() for timing in timings]), "")
    worst = max(percentile(timing.ms, 95) for timing in timings)
    section.say(f"Worst p95 {worst:.0f} ms, goal < {GOAL_MS:.0f} ms.")
    section.end()
    return 0 if worst < GOAL_MS else 1


if __name__ == "__main__":
    sys.exit(main())

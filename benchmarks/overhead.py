"""What orchestration costs: one spec by ``simulate`` and by a worker, seconds per round.

Run it with ``python -m benchmarks.overhead``. It starts an installation with real processes, on
PostgreSQL, Redis and RabbitMQ where they answer (see ``tests/services.py``), else embedded. Both
ways take turns, so that whatever else the machine does meets both; medians are compared.

Measured is the time between the ends of the first and of the last round, divided by the rounds in
between: loading, starting processes and storing the model are the same work for both. For a worker
it holds all that orchestration adds: recording each round, the lease, checkpoints, events, and the
web server and upkeep that run beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from threading import Event
from time import perf_counter
from typing import Any

from benchmarks.document import Section, add_write_option, machine, table
from benchmarks.priority import get_ahead
from tests import services
from tests.faults.servers import servers_of
from tests.faults.stack import ROOT, Stack
from webapp.client import Client

GOAL = 1.05
#: The settings of an installation as it comes, not the short ones of the fault tests.
AS_INSTALLED = {
    "ROUNDHOUSE_LEASE_S": "15",
    "ROUNDHOUSE_SLICE_S": "5",
    "ROUNDHOUSE_CHECKPOINT_EVERY_S": "10",
    "ROUNDHOUSE_LOG_FORMAT": "json",
}


@dataclass(frozen=True)
class Workload:
    """A spec to run both ways."""

    name: str
    spec: Mapping[str, Any]
    data: str | None = None

    def is_possible(self) -> bool:
        """Return whether its data set is on this machine."""
        folder = os.environ.get("ROUNDHOUSE_DATA_DIR")
        return self.data is None or (folder is not None and (Path(folder) / self.data).is_dir())


WORKLOADS = (
    Workload(
        "digits, 20 clients, all defaults",
        {"rounds": 100, "runtime": {"executor": "sequential"}},
    ),
    Workload(
        "digits, 200 clients, 100 a round",
        {
            "rounds": 60,
            "partition": {"kind": "iid", "clients": 200},
            "sampling": {"kind": "random", "fraction": 0.5},
            "runtime": {"executor": "sequential"},
        },
    ),
    Workload(
        "MNIST, MLP 200-200, 100 clients, 10 a round",
        {
            "rounds": 40,
            "dataset": {"kind": "mnist"},
            "partition": {"kind": "iid", "clients": 100},
            "model": {"kind": "mlp", "hidden": [200, 200]},
            "sampling": {"kind": "random", "count": 10},
            # Whether a run so short is worth a pool would be decided anew each time.
            "runtime": {"executor": "sequential"},
        },
        data="mnist",
    ),
)


def simulate_s_per_round(spec: Mapping[str, Any], folder: Path) -> float:
    """Return the seconds per round of the engine alone."""
    file = folder / "spec.json"
    file.write_text(json.dumps(spec))
    with subprocess.Popen(
        [sys.executable, "-m", "fedcore.cli.main", "simulate", str(file), "--json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        if process.stdout is None:
            raise RuntimeError("the simulation has no output")
        ends = [perf_counter() for line in process.stdout if "round" in json.loads(line)]
    if process.returncode != 0 or len(ends) != spec["rounds"]:
        raise RuntimeError(f"the simulation ended with status {process.returncode}")
    return (ends[-1] - ends[0]) / (len(ends) - 1)


def worker_s_per_round(spec: Mapping[str, Any], client: Client) -> float:
    """Return the seconds per round of the same spec, submitted over REST and run by a worker."""
    run = client.submit(name="overhead", spec=dict(spec)).runs[0]
    pause = Event()
    while not (run := client.run(run.id)).is_final:
        pause.wait(1.0)  # seldom: asking is work too
    if run.state != "succeeded":
        raise RuntimeError(f"the run {run.state}: {run.failure}")
    ends = [
        datetime.fromisoformat(event.data["recorded_at"])
        for event in client.all_events(run.id)
        if event.kind == "round_finished"
    ]
    return (ends[-1] - ends[0]).total_seconds() / (len(ends) - 1)


@dataclass(frozen=True)
class Result:
    """Seconds per round of one workload, turn by turn."""

    workload: Workload
    simulated: list[float]
    worked: list[float]

    @property
    def ratio(self) -> float:
        """Median of the ratios of neighbouring turns."""
        return median(w / s for s, w in zip(self.simulated, self.worked, strict=True))

    def row(self) -> tuple[str, ...]:
        """Return a row of the table."""
        pairs = zip(self.simulated, self.worked, strict=True)
        ratios = sorted(worked / simulated for simulated, worked in pairs)
        return (
            self.workload.name,
            f"{1e3 * median(self.simulated):.2f}",
            f"{1e3 * median(self.worked):.2f}",
            f"{self.ratio:.3f}",
            f"{ratios[0]:.3f}-{ratios[-1]:.3f}",
        )


def measure(workload: Workload, client: Client, turns: int, folder: Path) -> Result:
    """Run a workload both ways in turn, each way first in every other turn."""
    simulated, worked = [], []
    for turn in range(turns):
        if turn % 2 == 0:
            simulated.append(simulate_s_per_round(workload.spec, folder))
            worked.append(worker_s_per_round(workload.spec, client))
        else:
            worked.append(worker_s_per_round(workload.spec, client))
            simulated.append(simulate_s_per_round(workload.spec, folder))
    return Result(workload, simulated, worked)


@contextmanager
def installation(kind: str, folder: Path, *, workers: int = 1) -> Iterator[Stack]:
    """Run an installation with default settings until the block ends."""
    data = {k: v for k, v in os.environ.items() if k == "ROUNDHOUSE_DATA_DIR"}
    with servers_of(kind) as servers:
        for server in servers.own.values():
            get_ahead(server.pid)
        stack = Stack(folder, {**servers.settings, **AS_INSTALLED, **data}, workers=workers)
        try:
            stack.start()
            yield stack
        finally:
            stack.close()


def main() -> int:
    """Print the table; return 1 if the goal is missed."""
    parser = argparse.ArgumentParser(description="Measure the cost of orchestration.")
    parser.add_argument("--turns", type=int, default=5, help="how often each way is run")
    parser.add_argument("--kind", choices=["rabbitmq", "redis", "embedded"])
    add_write_option(parser)
    arguments = parser.parse_args()
    get_ahead()
    kind = arguments.kind or ("embedded" if services.probe()[1] else "rabbitmq")
    possible = [workload for workload in WORKLOADS if workload.is_possible()]
    for workload in WORKLOADS:
        if workload not in possible:
            print(f"left out: {workload.name} (set ROUNDHOUSE_DATA_DIR)", file=sys.stderr)
    section = Section("overhead", "python -m benchmarks.overhead", arguments.write)
    section.say(f"Installation: {kind}; {arguments.turns} turns each, medians. {machine()}", "")
    results = _measured(possible, kind, arguments.turns)
    header = ("workload", "simulate, ms", "worker, ms", "ratio", "lowest-highest")
    section.say(*table(header, [result.row() for result in results]), "")
    worst = max(result.ratio for result in results)
    section.say(f"Worst ratio {worst:.3f}, goal < {GOAL}: {'met' if worst < GOAL else 'missed'}.")
    section.end()
    return 0 if worst < GOAL else 1


def _measured(workloads: Sequence[Workload], kind: str, turns: int) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="roundhouse-bench-") as name:
        folder = Path(name)
        with installation(kind, folder / "installation") as stack, stack.client() as client:
            return [measure(workload, client, turns, folder) for workload in workloads]


if __name__ == "__main__":
    sys.exit(main())

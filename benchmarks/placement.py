"""What sharing a round out brings and costs: one worker, and several with ``placement: workers``.

Run it with ``python -m benchmarks.placement``. Two installations of real processes run beside each
other, one with one worker and one with two, and take turns; whoever waits does nothing. Seconds per
round are those between the ends of the first and of the last round, as in ``benchmarks.overhead``:
a shared round holds its messages, the upload and download of its parts and of the state that the
next one starts from, and what the database records of it.

How much two processes get done at once depends on the machine: they share its memory, and often its
caches, with each other and with whoever else is there. So in each turn one simulation and then two
at once do the same work without any orchestration; what the two get done is the most that sharing a
round out could bring in that turn.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.document import Section, add_write_option, machine, table
from benchmarks.overhead import (
    Workload,
    installation,
    simulate_s_per_round,
    worker_s_per_round,
)
from benchmarks.priority import get_ahead
from webapp.client import Client

GOAL = 1.6
_LOCAL, _ONE, _TWO = "local, one worker", "shared, one worker", "shared, two workers"

WORKLOADS = (
    Workload(
        "MNIST, MLP 200-200, 100 clients, 16 a round, 3 epochs",
        {
            "rounds": 24,
            "dataset": {"kind": "mnist"},
            "partition": {"kind": "iid", "clients": 100},
            "model": {"kind": "mlp", "hidden": [200, 200]},
            "sampling": {"kind": "random", "count": 16},
            "local": {"epochs": 3},
            "evaluation": {"every": 4},
        },
        data="mnist",
    ),
    Workload(
        "MNIST, MLP 200-200, 1,000 clients, all of them a round",
        {
            "rounds": 6,
            "dataset": {"kind": "mnist"},
            "partition": {"kind": "iid", "clients": 1000},
            "model": {"kind": "mlp", "hidden": [200, 200]},
            "sampling": {"kind": "full"},
            "evaluation": {"every": 4},
        },
        data="mnist",
    ),
)


@dataclass
class Result:
    """Seconds per round of one workload by way, turn by turn."""

    workload: Workload
    seconds: dict[str, list[float]] = field(
        default_factory=lambda: {_LOCAL: [], _ONE: [], _TWO: []}
    )
    limits: list[float] = field(default_factory=list)

    def ratios(self, first: str, second: str) -> list[float]:
        """Return the ratios of neighbouring turns, sorted."""
        pairs = zip(self.seconds[first], self.seconds[second], strict=True)
        return sorted(a / b for a, b in pairs)

    @property
    def speedup(self) -> float:
        """How many times faster two workers are than one that does the same shared rounds."""
        return median(self.ratios(_ONE, _TWO))

    def row(self) -> tuple[str, ...]:
        """Return a row of the table."""
        speedups, costs = self.ratios(_ONE, _TWO), self.ratios(_ONE, _LOCAL)
        return (
            self.workload.name,
            *(f"{1e3 * median(self.seconds[way]):.0f}" for way in (_LOCAL, _ONE, _TWO)),
            f"{median(costs):.2f}",
            f"{median(speedups):.2f} ({speedups[0]:.2f}-{speedups[-1]:.2f})",
            f"{median(self.limits):.2f} ({min(self.limits):.2f}-{max(self.limits):.2f})",
        )


def measure(workload: Workload, one: Client, two: Client, turns: int, folder: Path) -> Result:
    """Run a workload all three ways in turn, each time in another order."""
    ways = [
        (_LOCAL, one, _placed(workload.spec, "local")),
        (_ONE, one, _placed(workload.spec, "workers")),
        (_TWO, two, _placed(workload.spec, "workers")),
    ]
    result = Result(workload)
    for turn in range(turns):
        for way, client, spec in ways if turn % 2 == 0 else reversed(ways):
            result.seconds[way].append(worker_s_per_round(spec, client))
        result.limits.append(most_speedup(_placed(workload.spec, "local"), folder))
    return result


def most_speedup(spec: Mapping[str, Any], folder: Path) -> float:
    """Return how many times the work of one simulation two of them get done on this machine."""
    folders = [folder / name for name in ("first", "second")]
    for each in folders:
        each.mkdir(exist_ok=True)
    alone = simulate_s_per_round(spec, folders[0])
    with ThreadPoolExecutor(len(folders)) as pool:
        at_once = list(pool.map(lambda each: simulate_s_per_round(spec, each), folders))
    return sum(alone / seconds for seconds in at_once)


def _placed(spec: Mapping[str, Any], placement: str) -> dict[str, Any]:
    return {**spec, "runtime": {"placement": placement, "executor": "sequential"}}


def main() -> int:
    """Print the table; return 1 if the goal is missed."""
    parser = argparse.ArgumentParser(description="Measure what sharing a round out brings.")
    parser.add_argument("--turns", type=int, default=3, help="how often each way is run")
    add_write_option(parser)
    arguments = parser.parse_args()
    get_ahead()
    possible = [workload for workload in WORKLOADS if workload.is_possible()]
    if not possible:
        print("left out: all of it needs MNIST (set ROUNDHOUSE_DATA_DIR)", file=sys.stderr)
        return 1
    section = Section("placement", "python -m benchmarks.placement", arguments.write)
    section.say(f"Embedded installations; {arguments.turns} turns each, medians. {machine()}", "")
    results = _measured(possible, arguments.turns)
    header = (
        "workload",
        "local, ms",
        "shared, 1 worker, ms",
        "shared, 2 workers, ms",
        "shared / local, 1 worker",
        "2 workers / 1",
        "2 simulations at once / 1",
    )
    section.say(*table(header, [result.row() for result in results]), "")
    worst = min(result.speedup for result in results)
    section.say(
        f"Two workers are at least {worst:.2f} times as fast as one, goal >= {GOAL}: "
        f"{'met' if worst >= GOAL else 'missed'}."
    )
    section.end()
    return 0 if worst >= GOAL else 1


def _measured(workloads: Sequence[Workload], turns: int) -> list[Result]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="roundhouse-bench-")))
        clients = [
            stack.enter_context(
                stack.enter_context(
                    installation("embedded", folder / f"of-{workers}", workers=workers)
                ).client()
            )
            for workers in (1, 2)
        ]
        one, two = clients
        return [measure(workload, one, two, turns, folder) for workload in workloads]


if __name__ == "__main__":
    sys.exit(main())

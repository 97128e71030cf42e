"""Seconds per round and memory while the number of clients grows and the cohort stays.

A contender is this module itself, ``python -m benchmarks.speed.growth CLIENTS --turns``. All of
them do the same work in a round: ten clients, ten steps of six examples each, no test.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from benchmarks.peers.turns import Turns
from benchmarks.speed.prepare import folders
from fedcore.engine import Engine
from fedcore.spec import RunSpec

SIZES = (10, 100, 1_000, 10_000)
#: Cost may grow by this factor from the fewest clients to the most.
ALLOWED = 1.2


def spec_for(clients: int, processes: int) -> RunSpec:
    """Return a run with so many clients on MNIST's 60,000 images."""
    spec: dict[str, Any] = {
        "rounds": 1_000_000,
        "dataset": {"kind": "mnist"},
        "partition": {"kind": "iid", "clients": clients},
        "model": {"kind": "mlp", "hidden": [200, 200]},
        "local": {"steps": 10, "batch_size": 6, "lr": 0.05},
        "sampling": {"kind": "random", "count": 10},
        "evaluation": {"every": 1_000_000},
        "runtime": {"device": "cpu", "executor": "pool", "processes": processes},
    }
    return RunSpec.parse(spec)


def memory_mb(process: int) -> float:
    """Return the memory of a process and all below it, what they share counted once."""
    folder = Path("/proc") / str(process)
    lines = (folder / "smaps_rollup").read_text().splitlines()
    held = next(float(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    for task in (folder / "task").iterdir():
        children = (task / "children").read_text().split()
        held += sum(memory_mb(int(child)) for child in children)
    return held


def main() -> None:
    """Run rounds, one whenever it is our turn, and report the memory with each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clients", type=int)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--turns", action="store_true")
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    turns = Turns(f"{given.clients} clients", given.rounds, given.turns)
    where = folders()
    engine = Engine.create(
        spec_for(given.clients, given.processes), data_dir=where.data, cache_dir=where.cache
    )
    turns.ready(executor=engine.executor)
    memory = memory_mb(os.getpid())
    while turns.wait():
        engine.run_round()
        turns.done(memory_mb=memory)
        memory = memory_mb(os.getpid())  # not within a turn, because it takes longer than a round
    turns.finish()
    engine.close()


if __name__ == "__main__":
    main()

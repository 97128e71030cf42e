"""This project's engine as a contender: the same protocol as the peers'."""

from __future__ import annotations

import argparse

from benchmarks.peers.turns import Turns
from benchmarks.speed.prepare import folders, spec_of
from benchmarks.workloads import WORKLOADS
from fedcore.engine import Engine


def main() -> None:
    """Run a workload, a round whenever it is our turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workload", choices=sorted(WORKLOADS))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--turns", action="store_true")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--kernels", default="auto")
    parser.add_argument("--precision", default="float32")
    given = parser.parse_args()
    workload = WORKLOADS[given.workload]
    turns = Turns(f"roundhouse, {given.kernels}", given.rounds or workload.rounds, given.turns)
    spec = spec_of(
        workload,
        executor="pool" if given.processes > 1 else "sequential",
        processes=given.processes,
        kernels=given.kernels,
        precision=given.precision,
    )
    where = folders()
    engine = Engine.create(spec, data_dir=where.data, cache_dir=where.cache)
    turns.ready(executor=engine.executor)
    while turns.wait():
        turns.done(accuracy=engine.run_round().metrics["accuracy"])
    turns.finish()
    engine.close()


if __name__ == "__main__":
    main()

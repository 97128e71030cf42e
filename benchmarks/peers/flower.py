"""Flower's simulation on Ray: the message API, its FedAvg, one processor per client app.

What a careful user does is done: clients keep nothing but what they need, data are mapped once per
actor process, one torch thread per actor, evaluation on the server, telemetry off.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ |= {
    "FLWR_TELEMETRY_ENABLED": "0",  # before the import, which reads them
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "OMP_NUM_THREADS": "1",
    "PYTHONPATH": str(Path(__file__).parents[2]),  # Ray's actor processes import the client
}

from typing import Any

import flwr  # type: ignore[import-not-found]
import ray  # type: ignore[import-not-found]
import torch
from flwr.app import (  # type: ignore[import-not-found]
    ArrayRecord,
    Context,
    MetricRecord,
)
from flwr.serverapp import Grid, ServerApp  # type: ignore[import-not-found]
from flwr.serverapp.strategy import FedAvg  # type: ignore[import-not-found]
from flwr.simulation import run_simulation  # type: ignore[import-not-found]

from benchmarks.peers.flower_client import client_app
from benchmarks.peers.tensors import Arguments, Shared, arguments, build, evaluate
from benchmarks.peers.turns import Turns


def server_app(given: Arguments, turns: Turns) -> Any:
    """Return the server side, which waits for its turn after every evaluation."""
    app = ServerApp()
    shared, model = Shared(given.data), build(given.workload)
    shared.load_into(model)

    def test(server_round: int, arrays: ArrayRecord) -> MetricRecord:
        if server_round == 0:
            turns.ready(flwr=flwr.__version__, ray=ray.__version__)
        else:
            model.load_state_dict(arrays.to_torch_state_dict())
            torch.set_num_threads(given.processes)  # clients are idle while the server tests
            turns.done(accuracy=evaluate(model, shared.test))
        if not turns.wait():
            turns.finish()
            sys.stderr.flush()
            os._exit(0)  # Flower has no other way to end before its last round
        return MetricRecord({})

    @app.main()  # type: ignore[untyped-decorator]
    def main(grid: Grid, context: Context) -> None:  # noqa: ARG001
        strategy = FedAvg(
            fraction_train=given.workload.cohort / given.workload.clients, fraction_evaluate=0.0
        )
        strategy.start(
            grid=grid,
            initial_arrays=ArrayRecord(model.state_dict()),
            num_rounds=1_000_000,
            evaluate_fn=test,
        )

    return app


def main() -> None:
    """Run Flower on one workload."""
    given = arguments("Flower simulation")
    turns = Turns("Flower", given.rounds, given.turns)
    run_simulation(
        server_app=server_app(given, turns),
        client_app=client_app(given),
        num_supernodes=given.workload.clients,
        backend_config={
            "client_resources": {"num_cpus": 1, "num_gpus": 0.0},
            "init_args": {"num_cpus": given.processes, "include_dashboard": False},
        },
    )


if __name__ == "__main__":
    main()

"""Runs of one spec to the end, with some of its sections replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fedcore.engine import Engine
from fedcore.spec import RunSpec

#: MNIST, equal random shares, the plain two-layer network; what both tables vary around.
MNIST: dict[str, Any] = {
    "dataset": {"kind": "mnist"},
    "model": {"kind": "mlp", "hidden": [200, 200]},
    "sampling": {"kind": "full"},
    "local": {"epochs": 1, "batch_size": 32, "lr": 0.05},
}


@dataclass(frozen=True)
class Result:
    """What came of a run.

    Attributes:
        accuracy: Share of the test images that the final model gets right.
        bytes_up: All bytes from clients to the server, as on the wire.
        bytes_down: All bytes from the server to clients.
        seconds: Measured time.
        sim_seconds: Time on the clock of the simulated clients.
        metrics: All figures of the last test, by name.
    """

    accuracy: float
    bytes_up: int
    bytes_down: int
    seconds: float
    sim_seconds: float
    metrics: Mapping[str, float]


def play(**sections: Any) -> Result:
    """Return what comes of a run of MNIST with some sections of its spec replaced."""
    spec = RunSpec.parse(MNIST | sections)
    engine = Engine.create(spec)
    try:
        while not engine.is_finished:
            engine.run_round()
        totals = engine.totals
        metrics = dict(engine.metrics)
    finally:
        engine.close()
    return Result(
        metrics["accuracy"],
        totals.bytes_up,
        totals.bytes_down,
        totals.seconds,
        totals.sim_seconds,
        metrics,
    )

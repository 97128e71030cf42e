"""Methods of every family side by side: accuracy, bytes and simulated time on one workload.

``python -m benchmarks.methods [KIND ...]`` needs MNIST: the hub, or ROUNDHOUSE_DATA_DIR. Everybody
may use about as many updates of clients. Methods of the catalogue that have no settings here are
named below the table.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from statistics import mean, stdev
from typing import Any

import torch

from benchmarks.document import Section, add_write_option, machine, note, table
from benchmarks.runs import Result, play
from fedcore.spec.algorithms import AlgorithmSpec

CLIENTS, COHORT, ROUNDS = 50, 10, 60
#: Updates of clients that everybody may use.
UPDATES = COHORT * ROUNDS
#: Rounds of FedKSeed: one has six times as many steps.
FEW = 10

IMAGES: dict[str, Any] = {
    "rounds": ROUNDS,
    "dataset": {"kind": "mnist", "max_train": 12_000},
    "partition": {"kind": "dirichlet", "alpha": 0.1, "clients": CLIENTS, "min_size": 10},
    "model": {"kind": "mlp", "hidden": [100]},
    "sampling": {"kind": "random", "count": COHORT},
    "local": {"steps": 10, "batch_size": 32, "lr": 0.1},
    "system": {
        "speed": {"kind": "lognormal", "sigma": 0.5, "samples_per_s": 200},
        "bandwidth_mbps": 10,
    },
    "evaluation": {"every": 1_000_000, "per_client": True},
    "runtime": {"executor": "sequential", "device": "cpu"},
}

EVERYBODY: dict[str, Any] = {"sampling": {"kind": "full"}}
ON_TORUS: dict[str, Any] = {
    **EVERYBODY,
    "rounds": UPDATES // CLIENTS,
    "topology": {"kind": "torus"},
    "aggregation": {"kind": "mean", "weighting": "uniform"},
}


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Attributes:
        kind: The method.
        label: What sets this line apart from others of the method, and how it is set.
        settings: Those of the method that are not the defaults.
        sections: Other sections of the spec that are replaced.
    """

    kind: str
    label: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    sections: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The first cell."""
        return f"{self.kind}, {self.label}" if self.label else self.kind

    def spec(self, seed: int) -> dict[str, Any]:
        """Return the sections of a run."""
        algorithm = {"kind": self.kind, **self.settings}
        return {**IMAGES, **self.sections, "algorithm": algorithm, "seed": seed}


ROWS = (
    Row("fedavg"),
    Row("fedavg", "all clients", {}, {**EVERYBODY, "rounds": UPDATES // CLIENTS}),
    Row("fedspeed"),
    Row("fedvarp"),
    Row("fedstale"),
    # Alone, a step of the card has the weight of a whole round: N p_i with equal speeds.
    Row(
        "async-fedavg",
        "server_lr 1/50",
        {"server_lr": 1 / CLIENTS},
        {**EVERYBODY, "rounds": UPDATES},
    ),
    Row("fedfix", "tick 0.5", {}, {**EVERYBODY, "rounds": 15}),
    Row("fedbuff", "buffer 10", {"buffer": COHORT}, EVERYBODY),
    Row("ditto"),
    Row("ditto", "pull 0: each client alone", {"pull": 0.0}),
    Row("fedrep", "3 head epochs", {"head_epochs": 3}),
    Row("fedgh"),
    Row(
        "ocfl",
        "all clients",
        {},
        {
            **EVERYBODY,
            "rounds": UPDATES // CLIENTS,
            "aggregation": {"kind": "mean", "weighting": "uniform"},
        },
    ),
    Row("dfedsam", "torus", {}, ON_TORUS),
    Row("dfedsam-mgs", "torus, 4 exchanges", {"gossip_steps": 4}, ON_TORUS),
    Row(
        "frl",
        "lr 0.4, momentum 0.9",
        {},
        {"local": {**IMAGES["local"], "lr": 0.4, "momentum": 0.9}},
    ),
    Row(
        "fedkseed",
        f"{FEW} rounds of 60 steps",
        {"seeds": 1024},
        {"rounds": FEW, "local": {"steps": 60, "batch_size": 32, "lr": 6e-4}},
    ),
)


def main() -> None:
    """Run every method with every seed and print the tables."""
    options = _options()
    rows = _asked_for(options.kinds)
    section = Section(
        "methods", "python -m benchmarks.methods", options.write and not options.kinds
    )
    section.say(
        f"{options.seeds} seeds each, mean ± standard deviation. Simulated clients work through "
        "200 examples a second at the median (log-normal, sigma 0.5) and have 10 Mbit/s each way. "
        f"{machine()}"
    )
    results = measured(rows, options.seeds)
    section.say(*summary(rows, results))
    section.end()


def summary(rows: Sequence[Row], results: Mapping[str, Sequence[Result]]) -> list[str]:
    """Return the table, with what is said above and below it."""
    kinds = AlgorithmSpec.kinds()
    left_out = sorted({*kinds} - {row.kind for row in rows})
    factors = [kind for kind in left_out if kinds[kind].needs_lora]
    return [
        "",
        _about_images(),
        "",
        *table(_header(), [cells(row, results[row.name]) for row in rows]),
        "",
        f"In the catalogue and not measured here: {', '.join(left_out)}. Of these, "
        f"{' and '.join(factors)} train LoRA factors of a transformer, which this model is not.",
    ]


def _asked_for(kinds: Sequence[str]) -> list[Row]:
    """Return the lines of some methods, or all of them.

    Raises:
        SystemExit: If a method has no settings here.
    """
    known = {row.kind for row in ROWS}
    if unknown := [kind for kind in kinds if kind not in known]:
        raise SystemExit(
            f"no settings for {', '.join(unknown)}; there are {', '.join(sorted(known))}"
        )
    return [row for row in ROWS if not kinds or row.kind in kinds]


def _about_images() -> str:
    return (
        f"**MNIST, Dirichlet 0.1, {CLIENTS} clients.** 12,000 images, MLP 784-100-10; {COHORT} "
        f"random clients in each of {ROUNDS} rounds, 10 steps of 32, SGD 0.1, unless the line says "
        f"otherwise; where all clients are at work, as many rounds as use about {UPDATES} updates."
    )


def measured(rows: Sequence[Row], seeds: int) -> dict[str, list[Result]]:
    """Return what came of each row's runs, one per seed, two at a time."""
    # Started anew, because forking a process that has torch threads may hang.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    with ProcessPoolExecutor(cores, get_context("spawn"), torch.set_num_threads, (1,)) as pool:
        started = {
            row.name: [pool.submit(_played, row, seed) for seed in range(seeds)] for row in rows
        }
        results = {}
        for name, runs in started.items():
            results[name] = [run.result() for run in runs]
            note(f"{name}: {sum(result.seconds for result in results[name]):.0f} s in rounds")
    return results


def _played(row: Row, seed: int) -> Result:
    return play(**row.spec(seed))


def _header() -> tuple[str, ...]:
    return (
        "method",
        "global, %",
        "clients' mean, %",
        "up, MB",
        "down, MB",
        "simulated s",
    )


def cells(row: Row, results: Sequence[Result]) -> tuple[str, ...]:
    """Return a line of the table: the accuracy of the global model, and that which clients get."""

    def cell(values: Sequence[float | None], digits: int) -> str:
        known = [value for value in values if value is not None]
        if len(known) < len(values):
            return "none"
        spread = f" ± {stdev(known):.{digits}f}" if len(known) > 1 else ""
        return f"{mean(known):,.{digits}f}{spread}"

    return (
        row.name,
        cell([_global(result) for result in results], 1),
        cell([_personal(result) for result in results], 1),
        cell([result.bytes_up / 1e6 for result in results], 2),
        cell([result.bytes_down / 1e6 for result in results], 2),
        cell([result.sim_seconds for result in results], 0),
    )


def _global(result: Result) -> float | None:
    """Return the accuracy of the global model on all test images; None where there is none."""
    # Without one, a run's own figures are those of the clients' models.
    is_global = "client_accuracy_mean" in result.metrics
    return 100 * result.metrics["accuracy"] if is_global else None


def _personal(result: Result) -> float:
    """Return the mean over clients of the accuracy of what each predicts with, on its own test."""
    metrics = result.metrics
    own = metrics.get("personal_accuracy_mean")
    return 100 * (metrics["client_accuracy_mean"] if own is None else own)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare methods of every family.")
    parser.add_argument(
        "kinds",
        nargs="*",
        metavar="KIND",
        help="only these methods; the page is only written with all of them",
    )
    parser.add_argument("--seeds", type=int, default=3)
    add_write_option(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()

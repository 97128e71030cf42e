"""Methods of every family side by side: accuracy, bytes and simulated time on one workload.

``python -m benchmarks.methods [KIND ...]`` needs MNIST and, for the methods of LoRA factors,
Banking77 in ROUNDHOUSE_DATA_DIR. Everybody may use about as many updates of clients. Methods of the
catalogue that have no settings here are named below the table.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from statistics import mean, stdev
from tempfile import TemporaryDirectory
from typing import Any

import torch

from benchmarks import questions
from benchmarks.document import Section, add_write_option, machine, note, table
from benchmarks.runs import Result, play
from fedcore.environment import Folders
from fedcore.spec.algorithms import AlgorithmSpec

CLIENTS, COHORT, ROUNDS = 50, 10, 60
#: Updates of clients that everybody may use.
UPDATES = COHORT * ROUNDS
#: Rounds of FedKSeed: one has six times as many steps.
FEW = 10

SYSTEM: dict[str, Any] = {
    "system": {
        "speed": {"kind": "lognormal", "sigma": 0.5, "samples_per_s": 200},
        "bandwidth_mbps": 10,
    },
    "evaluation": {"every": 1_000_000, "per_client": True},
    "runtime": {"executor": "sequential", "device": "cpu"},
}
IMAGES: dict[str, Any] = {
    "rounds": ROUNDS,
    "dataset": {"kind": "mnist", "max_train": 12_000},
    "partition": {"kind": "dirichlet", "alpha": 0.1, "clients": CLIENTS, "min_size": 10},
    "model": {"kind": "mlp", "hidden": [100]},
    "sampling": {"kind": "random", "count": COHORT},
    "local": {"steps": 10, "batch_size": 32, "lr": 0.1},
    **SYSTEM,
}

#: Half of them are the public corpus's.
INTENTS = 40
TEXT_CLIENTS, TEXT_ROUNDS = 10, 10
TEXT: dict[str, Any] = {
    **questions.sections(),
    "rounds": TEXT_ROUNDS,
    "partition": {"kind": "dirichlet", "alpha": 0.5, "clients": TEXT_CLIENTS},
    "sampling": {"kind": "full"},
    "peft": {"kind": "lora", "rank": 8, "alpha": 16},
    "local": {"epochs": 1, "batch_size": 16, "lr": 0.01, "optimizer": "adamw"},
    **SYSTEM,
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
        workload: The spec that all lines of a table share.
    """

    kind: str
    label: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    sections: Mapping[str, Any] = field(default_factory=dict)
    workload: Mapping[str, Any] = field(default_factory=lambda: IMAGES)

    @property
    def name(self) -> str:
        """The first cell."""
        return f"{self.kind}, {self.label}" if self.label else self.kind

    def spec(self, seed: int) -> dict[str, Any]:
        """Return the sections of a run."""
        algorithm = {"kind": self.kind, **self.settings}
        return {**self.workload, **self.sections, "algorithm": algorithm, "seed": seed}


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

FULL = {"peft": {"kind": "none"}, "local": {**TEXT["local"], "lr": 0.001}}
RANKS = {"peft": {**TEXT["peft"], "ranks": [16, 8, 4, 2]}}
TEXT_ROWS = (
    Row("fedavg", "everything trained, lr 0.001", {}, FULL, TEXT),
    Row("fedavg", "output layer alone", {}, {"peft": {"kind": "head"}}, TEXT),
    Row("fedit", "rank 8", {}, {}, TEXT),
    Row("flora", "rank 8", {}, {}, TEXT),
    Row("flora", "ranks 16, 8, 4, 2", {}, RANKS, TEXT),
)


def main() -> None:
    """Run every method with every seed and print the tables."""
    options = _options()
    if options.table != "text":
        _images(options)
    if options.table != "images":
        _text(options)


def _images(options: argparse.Namespace) -> None:
    rows = _asked_for(options.kinds)
    if not rows:
        return
    section = _section("methods", options)
    section.say("", _about_images(), "", *lines(rows, measured(rows, options.seeds)))
    left_out = sorted({*AlgorithmSpec.kinds()} - {row.kind for row in (*ROWS, *TEXT_ROWS)})
    section.say("", f"In the catalogue and not measured here: {', '.join(left_out)}.")
    section.end()


def _text(options: argparse.Namespace) -> None:
    # FedAvg alone has nothing to be compared with here.
    if options.kinds and {*options.kinds} & {row.kind for row in TEXT_ROWS} <= {"fedavg"}:
        return
    section = _section("methods_on_text", options)
    section.say("", _about_text(), "", *lines(TEXT_ROWS, measured_on_text(options.seeds)))
    section.end()


def _section(name: str, options: argparse.Namespace) -> Section:
    section = Section(name, "python -m benchmarks.methods", options.write and not options.kinds)
    section.say(
        f"{options.seeds} seeds each, mean ± standard deviation. Simulated clients work through "
        "200 examples a second at the median (log-normal, sigma 0.5) and have 10 Mbit/s each way. "
        f"{machine()}"
    )
    return section


def lines(rows: Sequence[Row], results: Mapping[str, Sequence[Result]]) -> list[str]:
    """Return the table of some rows."""
    return table(_header(), [cells(row, results[row.name]) for row in rows])


def measured_on_text(seeds: int) -> dict[str, list[Result]]:
    """Return what came of the runs on text, with a model that is made first.

    Raises:
        SystemExit: If Banking77 is not there.
    """
    published = Folders.from_environment().data
    if published is None or not (published / "banking77").is_dir():
        raise SystemExit("the methods of LoRA factors need banking77 in ROUNDHOUSE_DATA_DIR")
    with TemporaryDirectory() as folder:
        note("making the pretrained model")
        folders = questions.prepare(Path(folder), published / "banking77", intents=INTENTS)
        # The runs' processes find them where every run does.
        os.environ["ROUNDHOUSE_DATA_DIR"] = str(folders.data)
        os.environ["ROUNDHOUSE_MODELS_DIR"] = str(folders.models)
        return measured(TEXT_ROWS, seeds)


def _asked_for(kinds: Sequence[str]) -> list[Row]:
    """Return the lines of some methods on images, or all of them.

    Raises:
        SystemExit: If a method has no settings here.
    """
    known = {row.kind for row in (*ROWS, *TEXT_ROWS)}
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


def _about_text() -> str:
    return (
        f"**Banking77, {INTENTS // 2} intents, Dirichlet 0.5, {TEXT_CLIENTS} clients.** A BERT of "
        f"two layers of width 64 learns {INTENTS // 2} others first, as a public corpus; "
        f"then all clients train {TEXT_ROUNDS} rounds of one epoch, batch 16, AdamW 0.01, "
        "LoRA of alpha 16 beside the layers that are usual and the output layer whole, unless the "
        "line says otherwise."
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
    parser.add_argument(
        "--table", choices=("all", "images", "text"), default="all", help="only this table"
    )
    parser.add_argument("--seeds", type=int, default=3)
    add_write_option(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""Accuracy with Adam and few clients on MNIST, beside what the reference system reaches.

``python -m benchmarks.reference`` needs MNIST: the hub, or ROUNDHOUSE_DATA_DIR. The reference
system averages updates of earlier rounds; its figures are those of the same network and settings.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.document import Section, add_write_option, machine, note, table
from benchmarks.runs import play

EXAMPLES_EACH = 2000


@dataclass(frozen=True)
class Case:
    """A federation.

    Attributes:
        goal: Accuracy in per cent that every seed has to reach.
        reference: What the reference system reaches.
    """

    name: str
    clients: int
    rounds: int
    sampling: dict[str, Any]
    goal: float
    reference: float


CASES = (
    Case("2 clients, all, 5 rounds", 2, 5, {"kind": "full"}, 93.1, 92.5),
    Case("3 clients, 2 a round, 20 rounds", 3, 20, {"kind": "random", "count": 2}, 94.8, 94.3),
)


def accuracies(case: Case, seeds: int) -> list[float]:
    """Return the final accuracy in per cent for every seed."""
    found = []
    for seed in range(seeds):
        result = play(
            seed=seed,
            rounds=case.rounds,
            dataset={"kind": "mnist", "max_train": case.clients * EXAMPLES_EACH},
            partition={"kind": "iid", "clients": case.clients},
            sampling=case.sampling,
            local={"epochs": 2, "batch_size": 16, "optimizer": "adam", "lr": 0.001},
        )
        found.append(100 * result.accuracy)
        note(f"{case.name}, seed {seed}: {found[-1]:.2f} %")
    return found


def main() -> None:
    """Run every case and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    add_write_option(parser)
    options = parser.parse_args()
    section = Section("reference", "python -m benchmarks.reference", options.write)
    section.say(
        f"Test accuracy in %, MNIST, MLP 784-200-200-10, {EXAMPLES_EACH:,} examples each, two "
        f"local epochs, batch 16, Adam 0.001; {options.seeds} seeds. {machine()}",
        "",
    )
    rows = []
    for case in CASES:
        found = accuracies(case, options.seeds)
        figures = (min(found), median(found), max(found), case.goal, case.reference)
        rows.append((case.name, *(f"{figure:.2f}" for figure in figures)))
    section.say(*table(("clients", "lowest", "median", "highest", "goal", "reference"), rows))
    section.end()


if __name__ == "__main__":
    main()

"""What each aggregation rule withstands: accuracy on MNIST with a fifth of the clients attacking.

``python -m benchmarks.robustness`` needs MNIST: the hub, or ROUNDHOUSE_DATA_DIR.
"""

from __future__ import annotations

import argparse
from typing import Any

from benchmarks.document import Section, add_write_option, machine, note, table
from benchmarks.runs import play

ATTACKS: dict[str, dict[str, Any] | None] = {
    "none": None,
    "sign flip x5": {"kind": "sign_flip", "scale": 5.0},
    "sign flip x1": {"kind": "sign_flip", "scale": 1.0},
    "noise 0.1": {"kind": "additive_noise", "std": 0.1},
    "labels 1 to 7": {"kind": "label_flip"},
}
RULES: dict[str, dict[str, Any]] = {
    "mean": {},
    "median": {},
    "trimmed_mean": {},
    "krum": {},
    "multi_krum": {},
    "geometric_median": {},
    "bulyan": {"byzantine_fraction": 0.2},
    "norm_clip": {},
    "centered_clipping": {},
}


def main() -> None:
    """Run every rule against every attack and print the table."""
    options = _options()
    rows = []
    for rule in options.rules:
        cells = [rule]
        for attack in options.attacks:
            settings = ATTACKS[attack]
            result = play(
                seed=options.seed,
                rounds=options.rounds,
                partition={"kind": "iid", "clients": options.clients},
                aggregation={"kind": rule, **RULES[rule]},
                attack=None if settings is None else settings | {"fraction": options.fraction},
            )
            cells.append(f"{100 * result.accuracy:.2f}")
            note(f"{rule} against {attack}: {cells[-1]} %, {result.seconds:.0f} s")
        rows.append(cells)
    section = Section("robustness", "python -m benchmarks.robustness", options.write)
    section.say(
        f"Test accuracy in %, MNIST, MLP 784-200-200-10, {options.clients} clients with equal "
        f"shares, all of them in each of {options.rounds} rounds of one epoch, batch 32, SGD 0.05; "
        f"{options.fraction:.0%} of them attack; seed {options.seed}. {machine()}",
        "",
        *table(("rule", *options.attacks), rows),
    )
    section.end()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--fraction", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rules", nargs="+", choices=list(RULES), default=list(RULES))
    parser.add_argument("--attacks", nargs="+", choices=list(ATTACKS), default=list(ATTACKS))
    add_write_option(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()

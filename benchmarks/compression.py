"""What each codec saves and what it costs: accuracy on MNIST against bytes on the wire.

``python -m benchmarks.compression`` needs MNIST: the hub, or ROUNDHOUSE_DATA_DIR.
"""

from __future__ import annotations

import argparse
from typing import Any

from benchmarks.document import Section, add_write_option, machine, note, table
from benchmarks.runs import Result, play

Links = list[dict[str, Any]]

CHAINS: dict[str, tuple[Links, Links]] = {
    "none": ([], []),
    "cast float16": ([{"kind": "cast"}], []),
    "quantize 8 bits": ([{"kind": "quantize"}], []),
    "quantize 4 bits": ([{"kind": "quantize", "bits": 4}], []),
    "quantize 2 bits + memory": ([{"kind": "quantize", "bits": 2, "error_feedback": True}], []),
    "qsgd 127 levels": ([{"kind": "qsgd"}], []),
    "sign + memory": ([{"kind": "sign"}], []),
    "ternary": ([{"kind": "ternary"}], []),
    "topk 1 % + memory": ([{"kind": "topk", "ratio": 0.01}], []),
    "topk 1 %": ([{"kind": "topk", "ratio": 0.01, "error_feedback": False}], []),
    "topk 1 % + memory, 8 bits": ([{"kind": "topk", "ratio": 0.01}, {"kind": "quantize"}], []),
    "randk 10 %": ([{"kind": "randk", "ratio": 0.1}], []),
    "dgc 0.1 %": ([{"kind": "dgc", "ratio": 0.001}], []),
    "quantize 8 bits both ways": ([{"kind": "quantize"}], [{"kind": "quantize"}]),
    "topk 1 % + memory both ways": (
        [{"kind": "topk", "ratio": 0.01}],
        [{"kind": "topk", "ratio": 0.01}],
    ),
}


def main() -> None:
    """Run every chain and print the table."""
    options = _options()
    results: dict[str, Result] = {}
    for name, (uplink, downlink) in CHAINS.items():
        if options.only is None or name in ("none", *options.only):
            results[name] = play(
                seed=options.seed,
                rounds=options.rounds,
                partition={"kind": "iid", "clients": options.clients},
                compression={"uplink": uplink, "downlink": downlink},
            )
            note(f"{name}: {results[name].accuracy:.4f}, {results[name].seconds:.0f} s")
    section = Section("compression", "python -m benchmarks.compression", options.write)
    section.say(
        f"MNIST, MLP 784-200-200-10, {options.clients} clients with equal shares, all of them in "
        f"each of {options.rounds} rounds of one epoch, batch 32, SGD 0.05, seed {options.seed}. "
        f"{machine()}",
        "",
    )
    plain = results["none"]
    rows = [_row(name, result, plain, options.rounds) for name, result in results.items()]
    header = ("codec", "accuracy, %", "points", "up, kB/round", "up, %", "down, %")
    section.say(*table(header, rows))
    section.end()


def _row(name: str, result: Result, plain: Result, rounds: int) -> tuple[str, ...]:
    return (
        name,
        f"{100 * result.accuracy:.2f}",
        f"{100 * (result.accuracy - plain.accuracy):+.2f}",
        f"{result.bytes_up / rounds / 1000:,.1f}",
        f"{100 * result.bytes_up / plain.bytes_up:.2f}",
        f"{100 * result.bytes_down / plain.bytes_down:.2f}",
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", choices=list(CHAINS), help="chains beside none")
    add_write_option(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()

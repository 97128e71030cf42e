"""Run the contests and write their tables: ``python -m benchmarks.speed [--write] [PART ...]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from benchmarks.document import Section, add_write_option, machine, note
from benchmarks.speed import mean, report
from benchmarks.speed.contest import HERE, Entry, entries, hold
from benchmarks.speed.growth import SIZES
from benchmarks.speed.prepare import build_operator, prepare
from benchmarks.workloads import MEAN, WORKLOADS
from fedcore.engine.device import num_cores

GROWTH = "growth"
#: Every part has a section of the page, so that one can be measured again by itself.
PARTS = (*WORKLOADS, MEAN.name, GROWTH)
_MEAN_TURNS = 7
_GROWTH_ROUNDS = 40


def main() -> int:
    """Measure and print; return 1 if something required was missed."""
    options = _options()
    reason = build_operator()
    if reason is not None:
        note(f"without the compiled operator: {reason}")
    measures: dict[str, Callable[[Section], list[str]]] = {
        **dict.fromkeys(WORKLOADS, lambda section: _contest(section, options)),
        MEAN.name: lambda section: _mean(section, options),
        GROWTH: lambda section: _growth(section, options),
    }
    missed = []
    for part in options.parts or PARTS:
        note(f"measuring {part}")
        section = Section(part, f"python -m benchmarks.speed {part}", options.write)
        section.say(machine(), "")
        missed += measures[part](section)
        section.end()
    for line in missed:
        note(line)
    return 1 if missed else 0


def _contest(section: Section, options: argparse.Namespace) -> list[str]:
    workload = WORKLOADS[section.name]
    chosen = entries(workload, prepare(workload), options.processes)
    result = hold(workload.name, chosen, options.rounds or workload.rounds)
    report.write_contest(section, workload, result)
    return report.missed(workload, result)


def _mean(section: Section, options: argparse.Namespace) -> list[str]:
    result = mean.measure(options.rounds or _MEAN_TURNS, options.processes)
    return report.write_mean(section, result, options.processes)


def _growth(section: Section, options: argparse.Namespace) -> list[str]:
    names = {size: f"{size} clients" for size in SIZES}
    module = ("-m", "benchmarks.speed.growth")
    chosen = [
        Entry(name, HERE, (*module, str(size), "--turns", "--processes", str(options.processes)))
        for size, name in names.items()
    ]
    result = hold(GROWTH, chosen, options.rounds or _GROWTH_ROUNDS)
    return report.write_growth(section, result, names)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--rounds", type=int, help="rounds or turns of each; as many as usual")
    parser.add_argument("--processes", type=int, default=num_cores(), help="for everybody")
    add_write_option(parser)
    options = parser.parse_args()
    unknown = sorted(set(options.parts) - set(PARTS))
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}; choose from {', '.join(PARTS)}")
    return options


if __name__ == "__main__":
    sys.exit(main())

"""The tables of what came of the contests, and whether it is what was required."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from benchmarks.document import Section, table
from benchmarks.speed.contest import BFLOAT16, BUILT_IN, COMPILED, GENERAL, WAYS, Result
from benchmarks.speed.growth import ALLOWED, SIZES
from benchmarks.speed.mean import REQUIRED as REQUIRED_OF_MEAN
from benchmarks.speed.mean import MeanResult
from benchmarks.speed.spread import Spread
from benchmarks.workloads import MEAN, Workload

PEERS = ("Flower", "pfl", "PyTorch loop")

#: Times as fast as a peer, by workload and by our way: what is required.
REQUIRED: Mapping[str, Mapping[str, Mapping[str, float]]] = MappingProxyType(
    {
        "W1": {
            GENERAL.name: {"Flower": 2.7, "pfl": 1.0},
            COMPILED.name: {"Flower": 4.5, "pfl": 1.8},
        },
        "W2": {
            GENERAL.name: {"Flower": 8.0, "pfl": 1.6},
            COMPILED.name: {"Flower": 17.0, "pfl": 3.4},
        },
        "W3": {
            GENERAL.name: {"Flower": 1.5, "pfl": 1.1},
            BUILT_IN.name: {"Flower": 1.8, "pfl": 1.3},
        },
    }
)
#: The same, as an aim.
AIMS: Mapping[str, Mapping[str, Mapping[str, float]]] = MappingProxyType(
    {
        "W1": {COMPILED.name: {"Flower": 7.0, "pfl": 2.7}},
        "W2": {COMPILED.name: {"Flower": 35.0, "pfl": 6.8}},
        "W3": {BFLOAT16.name: {"Flower": 3.0}},
    }
)


def write_contest(section: Section, workload: Workload, result: Result) -> None:
    """Write the table of a workload."""
    ours = [way.name for way in WAYS if way.name in result.seconds]
    peers = [peer for peer in PEERS if peer in result.seconds]
    alpha = "equal shares" if workload.alpha is None else f"Dirichlet {workload.alpha:g}"
    section.say(
        f"**{workload.name}: {workload.title}.** {alpha}, {workload.cohort} clients per round, "
        f"{workload.epochs} epoch, batch {workload.batch_size}, SGD {workload.lr:g}, test on "
        f"10,000 images every round; {len(result.seconds[ours[0]])} rounds each, in turn.",
        "",
        *table(
            ("contender", "rounds/s", *(f"times {peer}" for peer in peers), "accuracy, %"),
            [
                (
                    name,
                    str(result.rates(name)),
                    *(str(result.speed_up(name, peer)) for peer in peers),
                    f"{100 * result.last[name]['accuracy']:.1f}",
                )
                for name in (*ours, *peers)
            ],
        ),
        "",
        *(
            f"Not installed, so not measured: {name} (`make bench-peers`)."
            for name in result.absent
        ),
        *_verdicts("required", REQUIRED[workload.name], result),
        *_verdicts("aimed at", AIMS[workload.name], result),
    )


def _verdicts(
    word: str, wanted: Mapping[str, Mapping[str, float]], result: Result
) -> Iterator[str]:
    for name, factors in wanted.items():
        for peer, factor in factors.items():
            if name in result.seconds and peer in result.seconds:
                found = result.speed_up(name, peer).middle
                verdict = "met" if found >= factor else "missed"
                yield f"- {name}: {word} {factor:g} x {peer}, measured {found:.2f}: {verdict}"


def missed(workload: Workload, result: Result) -> list[str]:
    """Return what is required of a workload and was not reached."""
    verdicts = _verdicts("required", REQUIRED[workload.name], result)
    return [f"{workload.name}: {line[2:]}" for line in verdicts if line.endswith("missed")]


def write_mean(section: Section, result: MeanResult, threads: int) -> list[str]:
    """Write what came of W4 and return what was missed."""
    ratio = Spread.of_ratios(result.ours, result.loop)
    verdict = "met" if ratio.middle >= REQUIRED_OF_MEAN else "missed"
    line = f"- required {REQUIRED_OF_MEAN:g} x the loop, measured {ratio.middle:.2f}: {verdict}"
    section.say(
        f"**{MEAN.name}: {MEAN.title}.** {threads} threads; gigabytes of updates per second.",
        "",
        *table(
            ("way", "GB/s", "roundhouse is faster by"),
            [
                ("roundhouse", str(Spread.of(result.ours)), ""),
                ("one update at a time (axpy)", str(Spread.of(result.loop)), str(ratio)),
                (
                    "reading alone (sum of each)",
                    str(Spread.of(result.reading)),
                    str(Spread.of_ratios(result.ours, result.reading)),
                ),
            ],
        ),
        "",
        line,
        f"- memory beside the updates at the peak: {result.extra_models:.2f} models",
    )
    return [f"{MEAN.name}: {line[2:]}"] if verdict == "missed" else []


def write_growth(section: Section, result: Result, names: Mapping[int, str]) -> list[str]:
    """Write the cost by the number of clients and return what was missed."""
    first = names[SIZES[0]]
    rows = []
    for size, name in names.items():
        memory = result.last[name]["memory_mb"]
        rows.append(
            (
                f"{size:,}",
                f"{1000 / result.rates(name).middle:.2f}",
                str(result.speed_up(first, name)),
                f"{memory:.0f}",
                f"{memory / result.last[first]['memory_mb']:.2f}",
            )
        )
    section.say(
        "**Cost as clients grow.** MNIST's 60,000 images shared by ever more clients; ten of them "
        "per round, ten steps of six examples each, no test; two processes. Memory is that of all "
        f"processes together, mapped data included. Required: within a factor of {ALLOWED}.",
        "",
        *table(("clients", "ms/round", "times that of 10", "memory, MB", "times that of 10"), rows),
    )
    most = names[SIZES[-1]]
    grown = {
        "seconds": result.speed_up(first, most).middle,
        "memory": result.last[most]["memory_mb"] / result.last[first]["memory_mb"],
    }
    return [f"growth: {what} x {factor:.2f}" for what, factor in grown.items() if factor > ALLOWED]

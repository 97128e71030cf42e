"""Contenders that run one round each, in turn, on one machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.speed.prepare import BENCH, ROOT
from benchmarks.speed.spread import Spread
from benchmarks.workloads import Workload

HERE = Path(sys.executable)
_TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node")


@dataclass(frozen=True)
class Way:
    """One way in which this project runs a workload."""

    name: str
    models: tuple[str, ...]
    options: tuple[str, ...]


GENERAL = Way("roundhouse, any model", ("mlp", "cnn"), ("--kernels", "autograd"))
BUILT_IN = Way("roundhouse, built-in, torch only", ("mlp", "cnn"), ("--kernels", "fused"))
COMPILED = Way("roundhouse, built-in, compiled", ("mlp",), ("--kernels", "compiled"))
BFLOAT16 = Way("roundhouse, bfloat16 on request", ("cnn",), ("--precision", "bfloat16"))
WAYS = (GENERAL, BUILT_IN, COMPILED, BFLOAT16)


@dataclass(frozen=True)
class Entry:
    """Somebody who can run a workload.

    Attributes:
        name: For the tables.
        python: The interpreter of its environment.
        arguments: Its command line after the interpreter.
    """

    name: str
    python: Path
    arguments: tuple[str, ...]

    @property
    def is_installed(self) -> bool:
        """Whether its environment is there."""
        return self.python.exists()


def entries(workload: Workload, data: Path, processes: int) -> tuple[Entry, ...]:
    """Return who takes part in a workload; some may not be installed."""
    given = (workload.name, "--data", str(data), "--turns", "--processes", str(processes))
    flower, pfl = (BENCH / peer / "bin" / "python" for peer in ("flower", "pfl"))
    torchrun = (*_TORCHRUN, str(processes), "-m", "benchmarks.peers.pfl_research")
    return (
        *_ours(workload, processes),
        Entry("Flower", flower, ("-m", "benchmarks.peers.flower", *given)),
        Entry("pfl", pfl, (*torchrun, *given)),
        Entry("PyTorch loop", HERE, ("-m", "benchmarks.peers.plain_loop", *given)),
    )


def _ours(workload: Workload, processes: int) -> Iterator[Entry]:
    module = ("-m", "benchmarks.speed.contender", workload.name, "--turns")
    for way in WAYS:
        if workload.model in way.models:
            arguments = (*module, "--processes", str(processes), *way.options)
            yield Entry(way.name, HERE, arguments)


@dataclass
class Contender:
    """A running entry and what it has reported."""

    entry: Entry
    process: subprocess.Popen[str]
    facts: Mapping[str, Any] = field(default_factory=dict)
    reports: list[Mapping[str, Any]] = field(default_factory=list)

    @classmethod
    def start(cls, entry: Entry, log: Path) -> Contender:
        """Start an entry; what it prints besides reports goes to a log."""
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "PYTHONWARNINGS": "ignore",
        }
        with log.open("w") as stream:
            process = subprocess.Popen(
                [str(entry.python), *entry.arguments],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stream,
                text=True,
            )
        return cls(entry, process)

    def wait_until_ready(self) -> None:
        """Wait until it has loaded everything."""
        self.facts = self._report()

    def run_round(self) -> None:
        """Let it run a round and keep its report."""
        if self.process.stdin is None:
            raise RuntimeError("the contender has no input")
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        self.reports.append(self._report())

    def end(self) -> None:
        """Let it end, by force if it does not."""
        try:
            self.process.communicate("end\n", timeout=60)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self.process.kill()

    def _report(self) -> dict[str, Any]:
        if self.process.stdout is None:
            raise RuntimeError("the contender has no output")
        for line in self.process.stdout:
            if line.startswith("{"):
                report: dict[str, Any] = json.loads(line)
                return report
        raise RuntimeError(f"{self.entry.name} has ended; see {BENCH / 'logs'}")


@dataclass(frozen=True)
class Result:
    """What came of a contest, without everybody's first round, which warms up.

    Attributes:
        seconds: Per round, by contender.
        last: Everybody's last report.
        facts: What everybody said before the first round.
        absent: Who is not installed.
    """

    seconds: Mapping[str, Sequence[float]]
    last: Mapping[str, Mapping[str, Any]]
    facts: Mapping[str, Mapping[str, Any]]
    absent: tuple[str, ...]

    def rates(self, name: str) -> Spread:
        """Return somebody's rounds per second."""
        return Spread.of([1 / seconds for seconds in self.seconds[name]])

    def speed_up(self, name: str, peer: str) -> Spread:
        """Return how many times faster one is than another."""
        return Spread.of_ratios(self.seconds[peer], self.seconds[name])


def hold(name: str, chosen: Sequence[Entry], rounds: int) -> Result:
    """Return what came of a contest in which everybody has a turn in every round.

    Raises:
        RuntimeError: If a contender ends too early.
    """
    logs = BENCH / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    present = [entry for entry in chosen if entry.is_installed]
    contenders: list[Contender] = []
    try:
        for number, entry in enumerate(present):
            contenders.append(Contender.start(entry, logs / f"{name}-{number}.log"))
        for contender in contenders:
            contender.wait_until_ready()
        for _ in range(rounds + 1):
            for contender in contenders:
                contender.run_round()
    finally:
        for contender in contenders:
            contender.end()
    return Result(
        seconds={c.entry.name: [r["seconds"] for r in c.reports[1:]] for c in contenders},
        last={c.entry.name: c.reports[-1] for c in contenders},
        facts={c.entry.name: c.facts for c in contenders},
        absent=tuple(entry.name for entry in chosen if not entry.is_installed),
    )

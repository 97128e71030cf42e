"""W4: a weighted mean of updates that are there already, beside adding them up one by one."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import torch
from torch import Tensor

from benchmarks.workloads import MEAN
from fedcore.aggregators import AGGREGATORS, Accumulator
from fedcore.params import Layout, Params
from fedcore.spec.aggregators import MeanSpec

REQUIRED = 1.6
#: So many vectors really exist and are used in turn: far more than any cache holds, and less memory
#: than all of them would take.
DISTINCT = 20
_STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class MeanResult:
    """Gigabytes of updates per second, turn by turn, and memory beside the updates, in models."""

    ours: Sequence[float]
    loop: Sequence[float]
    reading: Sequence[float]
    extra_models: float


def measure(turns: int, threads: int) -> MeanResult:
    """Return what came of so many turns of everybody, after one that is not counted.

    Raises:
        RuntimeError: If the means differ.
    """
    vectors, weights = _updates()
    rule = AGGREGATORS.of(MeanSpec())(MeanSpec())
    layout = Layout(("w",), ((MEAN.parameters,),))

    def ours() -> Tensor:
        parts = [
            Accumulator({"delta": Params(layout, vector)}, weight, 1)
            for vector, weight in zip(vectors, weights, strict=True)
        ]
        section = rule.finish(rule.merge_all(parts))["delta"]
        return section["w"]

    def loop() -> Tensor:
        total, whole = torch.zeros(MEAN.parameters), sum(weights)
        for vector, weight in zip(vectors, weights, strict=True):
            total.add_(vector, alpha=weight / whole)
        return total

    def reading() -> Tensor:
        return torch.stack([vector.sum() for vector in vectors])

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        if not torch.allclose(ours(), loop(), atol=1e-5):
            raise RuntimeError("the two means differ")
        extra = _peak_growth(ours) / (4 * MEAN.parameters)
        found = [[_rate(work) for work in (ours, loop, reading)] for _ in range(turns)]
    finally:
        torch.set_num_threads(before)
    by_way = list(zip(*found, strict=True))
    return MeanResult(by_way[0], by_way[1], by_way[2], extra)


def _updates() -> tuple[list[Tensor], list[float]]:
    generator = torch.Generator().manual_seed(0)
    distinct = [torch.randn(MEAN.parameters, generator=generator) for _ in range(DISTINCT)]
    vectors = [distinct[place % DISTINCT] for place in range(MEAN.updates)]
    return vectors, [float(100 + place) for place in range(MEAN.updates)]


def _rate(work: Callable[[], Tensor]) -> float:
    """Return gigabytes of updates per second."""
    began = perf_counter()
    work()
    return 4e-9 * MEAN.parameters * MEAN.updates / (perf_counter() - began)


def _peak_growth(work: Callable[[], Tensor]) -> float:
    """Return by how many bytes some work raises the most memory this process has held."""
    if not _STATUS.exists():
        return float("nan")
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = _held("VmRSS")
    work()
    return _held("VmHWM") - before


def _held(name: str) -> float:
    lines = _STATUS.read_text().splitlines()
    return 1024 * float(next(line.split()[1] for line in lines if line.startswith(name)))

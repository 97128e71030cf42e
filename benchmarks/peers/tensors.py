"""Data and models of the workloads for contenders that know nothing of fedcore."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.workloads import WORKLOADS, Workload


@dataclass(frozen=True)
class Shared:
    """Images, clients and first weights of one workload, written once by the driver.

    Files are mapped, not read, so that all processes on the machine share one copy.
    """

    folder: Path

    def _tensor(self, name: str) -> Tensor:
        # Copy-on-write: torch wants writable memory, and nobody writes.
        return torch.from_numpy(np.load(self.folder / f"{name}.npy", mmap_mode="c"))

    @cached_property
    def train(self) -> tuple[Tensor, Tensor]:
        """Training images (60000, 1, 28, 28) and labels."""
        return self._tensor("train_x"), self._tensor("train_y")

    @cached_property
    def test(self) -> tuple[Tensor, Tensor]:
        """Test images (10000, 1, 28, 28) and labels."""
        return self._tensor("test_x"), self._tensor("test_y")

    @cached_property
    def _clients(self) -> tuple[Tensor, ...]:
        order, ends = self._tensor("client_order"), self._tensor("client_ends")
        return torch.tensor_split(order, ends[:-1])

    @property
    def num_clients(self) -> int:
        """How many clients there are."""
        return len(self._clients)

    def client(self, index: int) -> tuple[Tensor, Tensor]:
        """Return one client's images and labels, as copies."""
        rows = self._clients[index]
        x, y = self.train
        return x[rows], y[rows]

    def client_size(self, index: int) -> int:
        """Return how many examples one client has."""
        return len(self._clients[index])

    def load_into(self, model: nn.Module) -> None:
        """Give a model the first weights, in the order of its parameters."""
        with np.load(self.folder / "first_weights.npz") as arrays, torch.no_grad():
            for parameter, name in zip(model.parameters(), arrays.files, strict=True):
                parameter.copy_(torch.from_numpy(arrays[name]))


def build(workload: Workload) -> nn.Sequential:
    """Return the model of a workload, with weights of its own."""
    if workload.model == "mlp":
        return nn.Sequential(
            nn.Flatten(),
            nn.Linear(784, 200),
            nn.ReLU(),
            nn.Linear(200, 200),
            nn.ReLU(),
            nn.Linear(200, 10),
        )
    return nn.Sequential(
        nn.Conv2d(1, 32, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(7 * 7 * 64, 2048),
        nn.ReLU(),
        nn.Linear(2048, 10),
    )


@torch.no_grad()
def evaluate(model: nn.Module, data: tuple[Tensor, Tensor], batch_size: int = 1000) -> float:
    """Return the accuracy on ``data``."""
    x, y = data
    correct = 0
    for start in range(0, len(y), batch_size):
        logits = model(x[start : start + batch_size])
        correct += int((logits.argmax(1) == y[start : start + batch_size]).sum())
    return correct / len(y)


@dataclass(frozen=True)
class Arguments:
    """What every contender's command line says."""

    workload: Workload
    data: Path
    rounds: int
    turns: bool
    processes: int


def arguments(description: str) -> Arguments:
    """Return the command line of a contender."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("workload", choices=sorted(WORKLOADS))
    parser.add_argument("--data", type=Path, required=True, help="folder made by the driver")
    parser.add_argument("--rounds", type=int, help="rounds to run; the workload's by default")
    parser.add_argument("--turns", action="store_true", help="wait for 'go' before every round")
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    workload = WORKLOADS[given.workload]
    return Arguments(
        workload, given.data, given.rounds or workload.rounds, given.turns, given.processes
    )

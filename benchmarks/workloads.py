"""The workloads that every contender runs: plain numbers, so that peers can read them too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Workload:
    """One federated-averaging run on 28x28 images with ten classes and plain SGD.

    Attributes:
        model: ``mlp`` is 784-200-200-10; ``cnn`` is LEAF's: two 5x5 convolutions with 32 and 64
            channels, each with 2x2 pooling, then 2048-10.
        clients: How many clients share the 60,000 training images.
        cohort: Clients per round.
        alpha: Dirichlet concentration of the labels, or None for equal random shares.
        rounds: Rounds of a full run; every contender runs one more before, which is not counted.
    """

    name: str
    title: str
    model: Literal["mlp", "cnn"]
    clients: int
    cohort: int
    alpha: float | None
    batch_size: int
    rounds: int
    lr: float = 0.05
    epochs: int = 1


@dataclass(frozen=True)
class MeanWorkload:
    """A weighted mean of float32 updates that are there already."""

    name: str
    title: str
    updates: int
    parameters: int


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("W1", "MLP, 100 clients x 600, 10 per round", "mlp", 100, 10, None, 32, 20),
        Workload("W2", "MLP, 1,000 clients, Dirichlet 0.3", "mlp", 1000, 100, 0.3, 10, 10),
        Workload("W3", "LEAF CNN, 100 clients x 600, 10 per round", "cnn", 100, 10, None, 32, 3),
    )
}

MEAN = MeanWorkload("W4", "weighted mean of 100 updates of 25 M float32", 100, 25_000_000)

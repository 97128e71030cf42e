"""Federated methods: one class per method card, its hyper-parameters beside it."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from fedcore.spec.base import Choice


class AlgorithmSpec(Choice):
    """The federated method: what clients optimise and what the server does with their updates."""

    section: ClassVar[str] = "algorithm"


class FedAvgSpec(AlgorithmSpec):
    """Clients train a copy of the model; the server averages the copies by number of examples."""

    title: ClassVar[str] = "FedAvg"
    paper: ClassVar[str | None] = "McMahan et al., AISTATS 2017, arXiv:1602.05629"
    synonyms: ClassVar[tuple[str, ...]] = ("federated averaging", "fed avg", "fed-avg")

    kind: Literal["fedavg"] = "fedavg"
    server_lr: float = Field(
        1.0, gt=0, le=1000, description="Step of the server along the mean update; 1 is FedAvg."
    )

"""Federated methods: one class per method card, its hyper-parameters beside it.

A module holds the methods of one idea; this page is the one place that names them all.
"""

from fedcore.spec.algorithms.base import AlgorithmSpec, ServerRateSpec

# Screens list the methods in the order of their definition, simple ones first.
# isort: off
from fedcore.spec.algorithms.averaging import FedAvgSpec, FedSgdSpec
from fedcore.spec.algorithms.drift import (
    FedDynSpec,
    FedNovaSpec,
    FedProxSpec,
    FedSpeedSpec,
    MoonSpec,
    ScaffoldSpec,
)
from fedcore.spec.algorithms.server import FedAdagradSpec, FedAdamSpec, FedAvgMSpec, FedYogiSpec
from fedcore.spec.algorithms.personal import (
    DittoSpec,
    FedBnSpec,
    FedGhSpec,
    FedPerSpec,
    FedRepSpec,
    LgFedAvgSpec,
)
from fedcore.spec.algorithms.clustered import OcflSpec
from fedcore.spec.algorithms.lora import FedItSpec, FloraSpec
from fedcore.spec.algorithms.codes import FedKSeedSpec, FrlSpec
from fedcore.spec.algorithms.memory import FedStaleSpec, FedVarpSpec
from fedcore.spec.algorithms.asynchronous import AsyncFedAvgSpec, FedBuffSpec, FedFixSpec
from fedcore.spec.algorithms.decentralised import DfedSamMgsSpec, DfedSamSpec, GossipSpec

# isort: on

__all__ = [
    "AlgorithmSpec",
    "AsyncFedAvgSpec",
    "DfedSamMgsSpec",
    "DfedSamSpec",
    "DittoSpec",
    "FedAdagradSpec",
    "FedAdamSpec",
    "FedAvgMSpec",
    "FedAvgSpec",
    "FedBnSpec",
    "FedBuffSpec",
    "FedDynSpec",
    "FedFixSpec",
    "FedGhSpec",
    "FedItSpec",
    "FedKSeedSpec",
    "FedNovaSpec",
    "FedPerSpec",
    "FedProxSpec",
    "FedRepSpec",
    "FedSgdSpec",
    "FedSpeedSpec",
    "FedStaleSpec",
    "FedVarpSpec",
    "FedYogiSpec",
    "FloraSpec",
    "FrlSpec",
    "GossipSpec",
    "LgFedAvgSpec",
    "MoonSpec",
    "OcflSpec",
    "ScaffoldSpec",
    "ServerRateSpec",
]

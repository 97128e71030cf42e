"""FedAvg: clients train a copy of the model, the server averages their changes.

Source: McMahan et al., "Communication-Efficient Learning of Deep Networks from Decentralized
Data", AISTATS 2017, arXiv:1602.05629, Algorithm 1. Paper to code: C is ``sampling.fraction``, E is
``local.epochs``, B is ``local.batch_size``, n_k is ``weight``, eta is ``local.lr``; w_k - w_t is
the section ``delta``.
"""

from __future__ import annotations

from dataclasses import dataclass

from fedcore.algorithms.base import METHODS, Method
from fedcore.spec.algorithms import FedAvgSpec


@METHODS.implements(FedAvgSpec)
@dataclass(frozen=True, eq=False)
class FedAvg(Method[FedAvgSpec]):
    """The method with every hook at its default."""

    @property
    def server_lr(self) -> float:
        """Step of the server; 1 makes the new model the mean of the clients' models."""
        return self.spec.server_lr

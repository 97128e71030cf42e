"""Methods whose server remembers how far clients have drifted; participants count alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from fedcore.algorithms.base import Method
from fedcore.clients.training import ClientData
from fedcore.params import Params, Section, zeros_like
from fedcore.spec.algorithms import AlgorithmSpec
from fedcore.state import MODEL

SpecT = TypeVar("SpecT", bound=AlgorithmSpec)

#: Section of the state: a vector like the model.
DRIFT = "drift"


@dataclass(frozen=True, eq=False)
class Drifting(Method[SpecT]):
    """Methods with one more vector on the server, zero at first; what it holds is theirs to say."""

    def initial_tensors(self, model: Params) -> Mapping[str, Section]:
        """Return the model, and a drift of zero."""
        return {MODEL: model, DRIFT: zeros_like(model)}

    def weight(self, data: ClientData) -> float:  # noqa: ARG002
        """Return 1: the algorithms' mean over participants is uniform."""
        return 1.0

"""FedIT: the factors of LoRA are averaged, A and B each for itself.

Source: Zhang et al., "Towards Building the Federated GPT: Federated Instruction Tuning",
ICASSP 2024, arXiv:2305.05644, section 3. Paper to code: the server's step is FedAvg on the factors
and, for a classifier, the head. What the paper leaves out is measured on request: the norm of
``s B A - sum_k p_k s B_k A_k`` over all layers, from the changes of the factors alone, because
everything but ``mean(dB) mean(dA) - mean(dB dA)`` cancels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import Tensor

from fedcore.aggregators import Accumulator
from fedcore.algorithms.base import DELTA, METHODS, Method
from fedcore.messages import Update
from fedcore.models.lora import LoraModel, lora_of
from fedcore.params import Section, vector
from fedcore.spec.algorithms import FedItSpec
from fedcore.state import RunState

PRODUCTS = "products"
BIAS = "aggregation_bias"


@METHODS.implements(FedItSpec)
@dataclass(frozen=True, eq=False)
class FedIt(Method[FedItSpec]):
    """FedAvg on LoRA factors, which can say how inexact that is."""

    @property
    def _lora(self) -> LoraModel:
        return lora_of(self.context.model)

    def fold(self, accumulator: Accumulator, update: Update) -> Accumulator:
        """Return the accumulator with one more update, and the products of its factors."""
        if self.spec.measure_bias:
            products = self._products(vector(update.sections, DELTA))
            update = replace(update, sections={**update.sections, PRODUCTS: products})
        return super().fold(accumulator, update)

    def server_step(self, state: RunState, combined: Mapping[str, Section]) -> RunState:
        """Return the state with the mean factors, and the bias of taking means."""
        after = super().server_step(state, combined)
        if PRODUCTS not in combined:
            return after
        of_means = self._products(vector(combined, DELTA))
        means = combined[PRODUCTS]
        squares = sum(float((of_means[name] - means[name]).square().sum()) for name in of_means)
        return replace(after, method={**after.method, BIAS: self._lora.spec.scale * squares**0.5})

    def round_metrics(self, state: RunState) -> Mapping[str, float]:
        """Return the bias, if it is measured."""
        bias = state.method.get(BIAS)
        return {BIAS: bias} if isinstance(bias, float) else {}

    @property
    def server_lr(self) -> float:
        """Step of the server."""
        return self.spec.server_lr

    def _products(self, change: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the product of the changes of both factors, by layer, (outputs, inputs)."""
        return {target.name: change[target.b] @ change[target.a] for target in self._lora.targets}

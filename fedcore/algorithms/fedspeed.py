"""FedSpeed: a corrected proximal term, and steps along gradients that look ahead.

Source: Sun, Shen, Huang, Ding and Tao, "FedSpeed: Larger Local Interval, Less Communication Round,
and Higher Generalization Accuracy", ICLR 2023, arXiv:2302.10429, Algorithm 1, and the authors'
code. Paper to code: 1/lambda is ``spec.lamb``, rho is ``spec.rho``, alpha is ``spec.alpha``. A
client keeps h_i, the sum of its own displacements (section ``walked``); the paper's correction is
``-lamb * h_i``. The server keeps ``H = 1/N sum_j h_j`` over all clients (section ``drift``).

The paper writes the new model as the mean over participants of ``x_i + h_i``. With partial
participation that is badly biased; the authors' code adds the mean of h over all clients, as is
done here. The clip of the whole direction, before weight decay, is our grouping: the code clips
part of it, which is the same wherever nothing is clipped. A learning rate that decays over the
rounds is not offered.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from fedcore.aggregators import Accumulator
from fedcore.algorithms.base import DELTA, METHODS, Gradient
from fedcore.algorithms.drifting import DRIFT, Drifting
from fedcore.algorithms.look_ahead import gradient_ahead
from fedcore.clients.training import Batch, LocalContext, Trained
from fedcore.messages import Message
from fedcore.params import add, subtract, vector
from fedcore.spec.algorithms import FedSpeedSpec
from fedcore.state import MODEL, ClientState, RunState

WALKED = "walked"
TINY = 1e-7
CLIP_TINY = 1e-6


@METHODS.implements(FedSpeedSpec)
@dataclass(frozen=True, eq=False)
class FedSpeed(Drifting[FedSpeedSpec]):
    """``rho = 0`` is FedDyn with ``alpha = lamb``; ``lamb = 0`` switches the correction off.

    All participants count alike.
    """

    def transform_grad(
        self, gradient: Gradient, weights: Tensor, batch: Batch, context: LocalContext
    ) -> Tensor:
        """Return ``(1 - alpha) g1 + alpha g2 + lamb (x - w^t + h_i)``, clipped as a whole.

        g2 is the gradient ahead; its pass leaves the model's running statistics as they are.
        """
        direction = self._mixed(gradient, weights, batch)
        if self.spec.lamb > 0:
            direction = direction.add(weights - context.received_flat[MODEL], alpha=self.spec.lamb)
            own = context.private_flat.get(WALKED)
            if own is not None:
                direction = direction.add(own, alpha=self.spec.lamb)
        if self.spec.clip is None:
            return direction
        norm: Tensor = torch.linalg.vector_norm(direction)
        return direction.mul((self.spec.clip / (norm + CLIP_TINY)).clamp(max=1.0))

    def _mixed(self, gradient: Gradient, weights: Tensor, batch: Batch) -> Tensor:
        first = gradient(weights, batch)
        rho, alpha = self.spec.rho, self.spec.alpha
        if rho == 0 or alpha == 0:
            return first
        ahead = gradient_ahead(gradient, weights, batch, first=first, rho=rho, tiny=TINY)
        return ahead if alpha == 1 else torch.lerp(first, ahead, alpha)

    def keep(
        self,
        trained: Trained,
        message: Message,  # noqa: ARG002
        private: ClientState | None,
    ) -> ClientState | None:
        """Return ``h_i + (x_K - w^t)``."""
        if self.spec.lamb == 0:
            return None
        moved = subtract(trained.params, trained.start)
        if private is None:
            return ClientState({WALKED: moved})
        return ClientState({WALKED: add(vector(private.sections, WALKED), moved)})

    def finish(self, accumulator: Accumulator, state: RunState) -> RunState:
        """Return the state after ``H += m/N mean(d)``, then ``w += mean(d) + H``."""
        delta = vector(self.context.aggregator.finish(accumulator), DELTA)
        moved = add(state.model, delta)
        if self.spec.lamb == 0:
            return replace(state, tensors={**state.tensors, MODEL: moved})
        share = accumulator.count / self.context.num_clients
        drift = add(vector(state.tensors, DRIFT), delta, scale=share)
        return replace(state, tensors={**state.tensors, MODEL: add(moved, drift), DRIFT: drift})

"""FedProx: local training pulled back towards the global model by a proximal term.

Source: Li et al., "Federated Optimization in Heterogeneous Networks", MLSys 2020,
arXiv:1812.06127, Algorithm 2. Paper to code: w^t is the received section ``model``, mu is
``spec.mu``. Clients that did less work are averaged like the others, as in the paper.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from fedcore.algorithms.base import METHODS, Gradient, Method
from fedcore.clients.training import Batch, LocalContext
from fedcore.spec.algorithms import FedProxSpec
from fedcore.state import MODEL


@METHODS.implements(FedProxSpec)
@dataclass(frozen=True, eq=False)
class FedProx(Method[FedProxSpec]):
    """FedAvg on ``f_i(x) + mu/2 |x - w^t|^2``; ``mu = 0`` is FedAvg to the last bit.

    The reported training loss is that of the data alone.
    """

    def transform_grad(
        self, gradient: Gradient, weights: Tensor, batch: Batch, context: LocalContext
    ) -> Tensor:
        """Return the gradient of the loss plus ``mu (x - w^t)``."""
        direction = gradient(weights, batch)
        if self.spec.mu == 0:
            return direction
        return direction.add(weights - context.received_flat[MODEL], alpha=self.spec.mu)

    @property
    def has_plain_gradient(self) -> bool:
        """Without a pull, a step follows the gradient as it is."""
        return self.spec.mu == 0

    @property
    def server_lr(self) -> float:
        """Step of the server along the mean update."""
        return self.spec.server_lr

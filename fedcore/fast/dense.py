"""Forward and backward passes of fully connected layers, with SGD fused into the gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from fedcore.algorithms.base import AnyMethod
from fedcore.clients.training import (
    ClientData,
    Interrupted,
    LocalContext,
    ShouldStop,
    Trained,
)
from fedcore.fast.plain import local_phases, passes
from fedcore.params import Params
from fedcore.products import linear
from fedcore.spec.training import LocalSpec
from fedcore.state import MODEL
from fedcore.weights import Weights


@dataclass(eq=False)
class FusedSgd:
    """SGD that takes the factors of a gradient instead of the gradient."""

    lr: float
    momentum: float
    weight_decay: float
    velocities: list[Tensor]

    @classmethod
    def of(cls, phase: LocalSpec, weights: list[Tensor]) -> FusedSgd:
        """Return the optimiser of a phase; momentum starts at zero."""
        velocities = [torch.zeros_like(weight) for weight in weights] if phase.momentum else []
        return cls(phase.lr, phase.momentum, phase.weight_decay, velocities)

    def step_product(self, which: int, weight: Tensor, left: Tensor, right: Tensor) -> None:
        """Move ``weight`` along the gradient ``left @ right``."""
        if not self.velocities:
            shrink = 1.0 - self.lr * self.weight_decay
            weight.addmm_(left, right, beta=shrink, alpha=-self.lr)
            return
        velocity = self.velocities[which]
        velocity.addmm_(left, right, beta=self.momentum)
        self._follow(velocity, weight)

    def step(self, which: int, weight: Tensor, grad: Tensor) -> None:
        """Move ``weight`` along a gradient."""
        if not self.velocities:
            if self.weight_decay:
                weight.mul_(1.0 - self.lr * self.weight_decay)
            weight.add_(grad, alpha=-self.lr)
            return
        velocity = self.velocities[which]
        velocity.mul_(self.momentum).add_(grad)
        self._follow(velocity, weight)

    def _follow(self, velocity: Tensor, weight: Tensor) -> None:
        if self.weight_decay:
            velocity.add_(weight, alpha=self.weight_decay)
        weight.add_(velocity, alpha=-self.lr)


@dataclass(frozen=True, eq=False)
class DenseLayers:
    """Weights (outputs, inputs) and biases by turns, with ReLU between the layers.

    Attributes:
        weights: Views of the vector that is trained.
        first: Number of the first of them among the tensors of the model.
    """

    weights: list[Tensor]
    first: int = 0

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the input, the activations of every layer, and last the logits."""
        values = [x]
        for position in range(0, len(self.weights), 2):
            weight, bias = self.weights[position : position + 2]
            out = linear(values[-1], weight, bias)
            is_last = position + 2 == len(self.weights)
            values.append(out if is_last else out.relu_())
        return values

    def backward(
        self, values: list[Tensor], grad: Tensor, sgd: FusedSgd, *, to_input: bool
    ) -> Tensor | None:
        """Take a step and return the gradient with respect to the input if it is asked for."""
        for layer in reversed(range(len(values) - 1)):
            weight, bias = self.weights[2 * layer : 2 * layer + 2]
            below = linear(grad, weight.t()) if layer > 0 or to_input else None
            sgd.step_product(self.first + 2 * layer, weight, grad.t(), values[layer])
            sgd.step(self.first + 2 * layer + 1, bias, grad.sum(0))
            if below is None:
                return None
            grad = mask(below, values[layer]) if layer > 0 else below
        return grad


def mask(grad: Tensor, activations: Tensor) -> Tensor:
    """Return the gradient where a ReLU has let something through."""
    return torch.ops.aten.threshold_backward(grad, activations, 0)  # type: ignore[no-any-return]


def cross_entropy(logits: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Return the sum of the losses of a batch, and the gradient of their mean."""
    log_shares = functional.log_softmax(logits, 1)
    index = y.unsqueeze(1)
    loss = log_shares.gather(1, index).sum().neg_()
    grad = log_shares.exp_()
    grad.scatter_add_(1, index, grad.new_full(index.shape, -1.0))
    return loss, grad.div_(len(y))


class Steps:
    """One client's steps by hand; made for each client, holds views of its weights."""

    def step(self, x: Tensor, y: Tensor, sgd: FusedSgd) -> Tensor:
        """Take one step and return the sum of the losses of the batch."""
        raise NotImplementedError

    @property
    def weights(self) -> list[Tensor]:
        """All tensors that are trained, as the optimiser counts them."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class DenseSteps(Steps):
    """Steps of the models ``linear`` and ``mlp``."""

    layers: DenseLayers

    @classmethod
    def of(cls, params: Params) -> DenseSteps:
        """Return the steps on a vector of parameters."""
        return cls(DenseLayers(list(params.layout.views(params.flat).values())))

    @property
    def weights(self) -> list[Tensor]:
        """All weights and biases."""
        return self.layers.weights

    def step(self, x: Tensor, y: Tensor, sgd: FusedSgd) -> Tensor:
        """Take one step."""
        values = self.layers.forward(x.flatten(1))
        loss, grad = cross_entropy(values[-1], y)
        self.layers.backward(values, grad, sgd, to_input=False)
        return loss


@dataclass(frozen=True, eq=False)
class FusedTrainer:
    """Hand-written steps in torch.

    Attributes:
        steps_of: Makes the steps on a vector of parameters.
    """

    steps_of: Callable[[Params], Steps]

    @property
    def name(self) -> str:
        """Return its name."""
        return "fused"

    def train(
        self,
        method: AnyMethod,
        start: Mapping[str, Weights],
        data: ClientData,
        *,
        context: LocalContext,  # noqa: ARG002  (a plain step looks at nothing but the data)
        generator: torch.Generator,
        should_stop: ShouldStop,
    ) -> Trained:
        """Return the result of local training.

        Raises:
            Interrupted: If ``should_stop`` said so.
        """
        params = start[MODEL].params.clone()
        loss_sum = torch.zeros((), dtype=torch.float64, device=params.flat.device)
        num_steps = num_seen = 0
        with torch.no_grad():
            steps = self.steps_of(params)
            for phase in local_phases(method):
                sgd = FusedSgd.of(phase, steps.weights)
                for order in passes(method, phase, data, generator):
                    for rows in order.split(phase.batch_size):
                        if should_stop():
                            raise Interrupted
                        x = data.examples.x.index_select(0, rows)
                        loss_sum += steps.step(x, data.examples.y.index_select(0, rows), sgd)
                        num_steps += 1
                        num_seen += len(rows)
        loss = float(loss_sum) / max(num_seen, 1)
        return Trained(params, start[MODEL].params, loss, num_steps, num_seen)

    def outputs(self, method: AnyMethod, model: Params) -> Callable[[Tensor], Tensor]:
        """Return the model as a function of its inputs."""
        params = model.layout.views(model.flat)
        return lambda x: method.context.model.apply(params, x)

"""Local steps whose result hardly depends on any one example: DP-SGD.

Every example of a client joins a batch by a draw of its own, its gradient is cut to a length C,
and the sum of a batch gets noise of z C on every number before it is divided by the size that a
batch has on average. A batch without examples is a step of noise alone.

Source: Abadi et al., "Deep Learning with Differential Privacy", CCS 2016, arXiv:1607.00133,
Algorithm 1. Paper to code: L is ``local.batch_size``, N the client's examples, q = L / N is
``Batches.chance``, C is ``clip``, sigma is ``noise``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import grad_and_value, vmap

from fedcore.algorithms.base import AnyMethod
from fedcore.clients.optimizers import Slots
from fedcore.clients.training import (
    Batch,
    ClientData,
    Interrupted,
    LocalContext,
    ShouldStop,
    Trained,
)
from fedcore.errors import PrivacyError
from fedcore.params import Layout
from fedcore.privacy.noise import Draws
from fedcore.spec.training import LocalSpec
from fedcore.state import MODEL
from fedcore.weights import Weights

#: Numbers of the gradients that are in memory at the same time.
_GRADIENT_NUMBERS = 1 << 24

#: Returns gradients, shape ``(n, total)``, and losses, shape ``(n,)``, of single examples.
PerExample = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Batches:
    """How a client's examples are drawn in one phase.

    Attributes:
        chance: Of each example to be in a batch; 1 where a batch is all of them.
        steps: Number of batches.
        expected: Mean number of examples in one: what sums are divided by.
    """

    chance: float
    steps: int
    expected: float

    @classmethod
    def of(cls, local: LocalSpec, num_examples: int) -> Batches:
        """Return the batches of a client that holds so many examples; an epoch is rounded up."""
        chance = min(1.0, local.batch_size / max(num_examples, 1))
        in_an_epoch = -(-num_examples // local.batch_size)
        steps = (local.epochs or 1) * in_an_epoch if local.steps is None else local.steps
        return cls(chance, steps, chance * num_examples)


def train_privately(
    method: AnyMethod,
    start: Mapping[str, Weights],
    data: ClientData,
    *,
    context: LocalContext,
    protection: Protection,
    should_stop: ShouldStop,
) -> Trained:
    """Return the result of private training through all phases of a method.

    Args:
        method: Supplies phases, loss and step.
        start: The client's models, by name; not changed.
        data: The client's examples.
        context: What the method's hooks may look at.
        protection: Clip, noise and random numbers.
        should_stop: Asked before every batch.

    Raises:
        Interrupted: If ``should_stop`` said so.
    """
    params = start[MODEL].params.clone()
    loss_sum, num_seen, num_steps = 0.0, 0, 0
    for phase in method.phases():
        optimizer, slots = method.local_step(phase.local), Slots()
        gradients = per_example(method, params.layout, context.in_phase(phase))
        batches = Batches.of(phase.local, len(data))
        for _ in range(batches.steps):
            if should_stop():
                raise Interrupted
            rows = data.rows[_drawn(batches, data, protection)]
            batch = Batch(data.examples.x[rows], data.examples.y[rows])
            release = _Release(gradients, protection, batches.expected)
            direction = method.transform_grad(
                release.gradient, params.flat, batch, context.in_phase(phase)
            )
            optimizer.step([params.flat], [direction], slots)
            loss_sum += release.loss
            num_seen += len(rows)
            num_steps += 1
    return Trained(
        params=params,
        start=start[MODEL].params,
        loss=loss_sum / max(num_seen, 1),
        num_steps=num_steps,
        num_seen=num_seen,
    )


@dataclass(eq=False)
class _Release:
    """The one noisy gradient of a step: a method may add to it, and not ask for a second one."""

    gradients: PerExample
    protection: Protection
    expected: float
    loss: float = 0.0
    is_made: bool = False

    def gradient(self, flat: Tensor, batch: Batch) -> Tensor:
        """Return the noisy mean gradient of a batch.

        Raises:
            PrivacyError: If it was asked for before in this step: each one is accounted for.
        """
        if self.is_made:
            raise PrivacyError(
                "this method takes two gradients in a step, and one is accounted for",
                field="algorithm.kind",
                fix="Use fedavg.",
            )
        self.is_made = True
        total, losses = clipped_sum(self.gradients, flat, batch, self.protection.clip)
        self.loss = float(losses)
        return (total + self.protection.noise_like(total)) / self.expected


@dataclass(frozen=True)
class Protection:
    """What protects examples.

    Attributes:
        clip: Longest gradient of an example.
        noise: Standard deviation of the noise on a sum, as a multiple of the clip.
        draws: Chooses batches and makes noise.
    """

    clip: float
    noise: float
    draws: Draws

    def noise_like(self, total: Tensor) -> Tensor:
        """Return noise for a sum of clipped gradients."""
        if self.noise == 0:
            return torch.zeros_like(total)
        return self.draws.normal(len(total)).to(total) * (self.noise * self.clip)


def per_example(method: AnyMethod, layout: Layout, context: LocalContext) -> PerExample:
    """Return the gradients of a method's loss on single examples, at flat weights."""

    def loss(flat: Tensor, x: Tensor, y: Tensor) -> Tensor:
        batch = Batch(x.unsqueeze(0), y.unsqueeze(0))
        return method.local_loss(layout.views(flat), batch, context)

    found: PerExample = vmap(grad_and_value(loss), in_dims=(None, 0, 0))
    return found


def clipped_sum(
    gradients: PerExample, flat: Tensor, batch: Batch, clip: float
) -> tuple[Tensor, Tensor]:
    """Return the sum of single examples' gradients, each cut to a length, and that of their losses.

    A gradient that is not finite counts as none: it must not spoil the sum.

    Args:
        gradients: Of single examples.
        flat: Weights, shape ``(total,)``.
        batch: The examples; there may be none.
        clip: Longest gradient.
    """
    total, loss = torch.zeros_like(flat), torch.zeros((), dtype=torch.float64)
    size = max(1, _GRADIENT_NUMBERS // max(len(flat), 1))
    for x, y in zip(batch.x.split(size), batch.y.split(size), strict=True):
        if len(y) == 0:
            continue
        found, losses = gradients(flat.detach(), x, y)
        lengths = torch.linalg.vector_norm(found, dim=1)
        is_finite = torch.isfinite(lengths)
        factors = torch.where(is_finite, (clip / lengths).clamp(max=1.0), 0.0)
        total += factors @ torch.where(is_finite[:, None], found, 0.0)
        loss += torch.where(is_finite, losses, 0.0).sum().to(loss)
    return total, loss


def _drawn(batches: Batches, data: ClientData, protection: Protection) -> Tensor:
    """Return the places of the examples of one batch among the client's."""
    chosen = protection.draws.uniform(len(data)) < batches.chance
    return chosen.nonzero().reshape(-1).to(data.rows.device)

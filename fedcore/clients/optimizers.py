"""Optimiser steps as functions of tensors, with the formulas of ``torch.optim``.

They work on a list of tensors, be it one flat vector or the parameters one by one, element by
element and in place, so that a leading axis over clients changes nothing. Slots are made fresh
every round: no client carries momentum over.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from fedcore.spec.training import LocalSpec

ADAM_BETAS = (0.9, 0.999)
ADAM_EPSILON = 1e-8


@dataclass(eq=False)
class Slots:
    """What an optimiser remembers between the steps of one round."""

    steps: int = 0
    first: list[Tensor] = field(default_factory=list)
    second: list[Tensor] = field(default_factory=list)


class Optimizer(Protocol):
    """A rule that moves weights along gradients."""

    def step(self, weights: list[Tensor], grads: list[Tensor], slots: Slots) -> None:
        """Move ``weights`` in place; ``grads`` may be overwritten."""


@dataclass(frozen=True)
class Sgd:
    """Stochastic gradient descent with momentum and an L2 penalty."""

    lr: float
    momentum: float = 0.0
    weight_decay: float = 0.0

    def step(self, weights: list[Tensor], grads: list[Tensor], slots: Slots) -> None:
        """Take one step."""
        if self.weight_decay:
            torch._foreach_add_(grads, weights, alpha=self.weight_decay)
        if self.momentum:
            grads = self._velocity(grads, slots)
        torch._foreach_add_(weights, grads, alpha=-self.lr)
        slots.steps += 1

    def _velocity(self, grads: list[Tensor], slots: Slots) -> list[Tensor]:
        if slots.steps == 0:
            slots.first = [grad.clone() for grad in grads]
        else:
            torch._foreach_mul_(slots.first, self.momentum)
            torch._foreach_add_(slots.first, grads)
        return slots.first


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba 2015, arXiv:1412.6980), with the L2 penalty in the gradient.

    With ``is_decoupled`` it is AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101), which shrinks
    the weights directly instead.
    """

    lr: float
    weight_decay: float = 0.0
    is_decoupled: bool = False

    def step(self, weights: list[Tensor], grads: list[Tensor], slots: Slots) -> None:
        """Take one step."""
        if slots.steps == 0:
            slots.first = [torch.zeros_like(grad) for grad in grads]
            slots.second = [torch.zeros_like(grad) for grad in grads]
        slots.steps += 1
        beta1, beta2 = ADAM_BETAS
        step_size = self.lr / (1 - beta1**slots.steps)
        correction = math.sqrt(1 - beta2**slots.steps)
        for weight, grad, first, second in zip(
            weights, grads, slots.first, slots.second, strict=True
        ):
            if self.is_decoupled:
                weight.mul_(1 - self.lr * self.weight_decay)
            elif self.weight_decay:
                grad.add_(weight, alpha=self.weight_decay)
            first.lerp_(grad, 1 - beta1)
            second.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
            denominator = second.sqrt().div_(correction).add_(ADAM_EPSILON)
            weight.addcdiv_(first, denominator, value=-step_size)


def make_optimizer(local: LocalSpec) -> Optimizer:
    """Return the optimiser that a spec describes."""
    if local.optimizer == "sgd":
        return Sgd(local.lr, local.momentum, local.weight_decay)
    return Adam(local.lr, local.weight_decay, is_decoupled=local.optimizer == "adamw")

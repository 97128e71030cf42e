"""Updates that were turned round, or drowned in noise.

Source: Gupta, Luo, Ngo and Das, ESORICS 2022, arXiv:2208.10273, section 3 (untargeted attacks).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fedcore.attacks.base import ATTACKS, Attack
from fedcore.spec.attacks import AdditiveNoiseSpec, SignFlipSpec


@ATTACKS.implements(SignFlipSpec)
@dataclass(frozen=True)
class SignFlip(Attack):
    """The update times minus the scale."""

    spec: SignFlipSpec

    def poison_update(self, update: Tensor, generator: torch.Generator) -> Tensor:  # noqa: ARG002
        """Return the reversed update."""
        return update * -self.spec.scale


@ATTACKS.implements(AdditiveNoiseSpec)
@dataclass(frozen=True)
class AdditiveNoise(Attack):
    """The update plus Gaussian noise."""

    spec: AdditiveNoiseSpec

    def poison_update(self, update: Tensor, generator: torch.Generator) -> Tensor:
        """Return the noisy update."""
        noise = torch.randn(update.shape, generator=generator).to(update.device)
        return update + noise.mul_(self.spec.std).add_(self.spec.mean)

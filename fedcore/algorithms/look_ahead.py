"""Gradients a little further up the hill, shared by the methods that take two per step."""

from __future__ import annotations

import torch
from torch import Tensor

from fedcore.algorithms.base import Gradient
from fedcore.clients.training import Batch


def gradient_ahead(
    gradient: Gradient, weights: Tensor, batch: Batch, *, first: Tensor, rho: float, tiny: float
) -> Tensor:
    """Return the gradient at ``weights + rho * first / |first|`` on the same batch.

    Source: Foret et al., "Sharpness-Aware Minimization", ICLR 2021, arXiv:2010.01412, equation 2.

    Args:
        gradient: Evaluates gradients.
        weights: Where the model is, shape ``(total,)``.
        batch: The batch on which ``first`` was computed.
        first: Gradient there, shape ``(total,)``.
        rho: Length of the look ahead.
        tiny: Added to the norm, so that a zero gradient leads nowhere.
    """
    step = first * (rho / (torch.linalg.vector_norm(first) + tiny))
    return gradient(weights + step, batch)

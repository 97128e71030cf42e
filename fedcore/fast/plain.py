"""Which runs leave the local step plain, and the order of their data."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from fedcore.algorithms.base import AnyMethod, Method
from fedcore.clients.training import ClientData
from fedcore.spec.training import LocalSpec
from fedcore.state import MODEL
from fedcore.tasks import Classification


def has_plain_steps(method: AnyMethod) -> bool:
    """Return whether every step of a method is SGD on the model's own cross-entropy."""
    kind = type(method)
    return (
        method.has_plain_gradient
        and method.has_steps
        and kind.local_loss is Method.local_loss
        and kind.local_step is Method.local_step
        and isinstance(method.context.objective, Classification)
        and all(
            phase.local.optimizer == "sgd" and phase.model == MODEL and phase.trains is None
            for phase in method.phases()
        )
    )


def local_phases(method: AnyMethod) -> list[LocalSpec]:
    """Return the phases of a method with plain steps, all of which move the whole model."""
    return [phase.local for phase in method.phases()]


def passes(
    method: AnyMethod, phase: LocalSpec, data: ClientData, generator: torch.Generator
) -> Iterator[Tensor]:
    """Yield, pass by pass, the rows of the data set in the order of a phase.

    Each is to be cut into batches, of which the last may be short; the last pass ends where the
    phase's steps are done.
    """
    left = phase.steps
    for order in method.data_order(phase, len(data), generator):
        if left == 0:
            return
        rows = data.rows.index_select(0, order)
        if left is not None:
            rows = rows[: left * phase.batch_size]
            left -= num_batches(rows, phase)
        yield rows


def num_batches(rows: Tensor, phase: LocalSpec) -> int:
    """Return how many batches a pass has."""
    return -(-len(rows) // phase.batch_size)

"""FedNova: every update is divided by the work behind it before the server averages.

Source: Wang et al., "Tackling the Objective Inconsistency Problem in Heterogeneous Federated
Optimization", NeurIPS 2020, arXiv:2007.07481, equations 9 to 13. Paper to code: |a_i|_1 is the
section ``work`` of an update, tau_eff is its weighted mean, d_i is ``delta / work``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch

from fedcore.aggregators import Accumulator
from fedcore.algorithms.base import DELTA, LOSS, METHODS, Method
from fedcore.clients.training import ClientData, Trained
from fedcore.messages import Message, Update
from fedcore.params import Section, vector
from fedcore.spec.algorithms import FedNovaSpec
from fedcore.state import RunState
from fedcore.wire.schema import Schema, layout_infos

WORK = "work"
STEPS = "steps"


def effective_steps(num_steps: int, momentum: float) -> float:
    """Return |a_i|_1 of SGD: the steps taken, or what momentum makes of them.

    Args:
        num_steps: Optimiser steps K_i, not epochs.
        momentum: rho of SGD; 0 gives K_i itself.
    """
    if momentum == 0:
        return float(num_steps)
    tail = momentum * (1 - momentum**num_steps) / (1 - momentum)
    return (num_steps - tail) / (1 - momentum)


@METHODS.implements(FedNovaSpec)
@dataclass(frozen=True, eq=False)
class FedNova(Method[FedNovaSpec]):
    """``w <- w + tau_eff * mean(delta_i / a_i)``; equal work for all is FedAvg."""

    def expected_update(self, state: RunState, client_id: int) -> Schema:  # noqa: ARG002
        """Return the model's change and one number, which no codec touches."""
        return Schema("update", ((DELTA, layout_infos(self.context.layout)),), (LOSS, STEPS))

    def uplink(self, trained: Trained, message: Message, data: ClientData) -> Update:
        """Return the change of the model and the work behind it."""
        update = super().uplink(trained, message, data)
        steps = effective_steps(trained.num_steps, self.context.local.momentum)
        return replace(update, scalars={**update.scalars, STEPS: max(steps, 1.0)})

    def fold(self, accumulator: Accumulator, update: Update) -> Accumulator:
        """Return the accumulator with one more update, divided by its work.

        A client cannot make its update count more by claiming less than one step.
        """
        delta = vector(update.sections, DELTA)
        steps = torch.tensor(max(update.scalars[STEPS], 1.0), device=delta.flat.device)
        normalised = delta.with_flat(delta.flat / steps)
        return super().fold(
            accumulator, replace(update, sections={DELTA: normalised, WORK: {STEPS: steps}})
        )

    def server_step(self, state: RunState, combined: Mapping[str, Section]) -> RunState:
        """Return the state after ``tau_eff`` mean steps."""
        delta = vector(combined, DELTA)
        scaled = delta.with_flat(delta.flat * combined[WORK][STEPS])
        return super().server_step(state, {**combined, DELTA: scaled})

    @property
    def server_lr(self) -> float:
        """Step of the server."""
        return self.spec.server_lr

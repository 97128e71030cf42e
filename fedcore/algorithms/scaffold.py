"""SCAFFOLD: control variates on server and clients cancel the drift of local training.

Source: Karimireddy et al., "SCAFFOLD: Stochastic Controlled Averaging for Federated Learning",
ICML 2020, arXiv:1910.06378, Algorithm 1 with option II. Paper to code: c is the section ``control``
of the state, c_i the section ``control`` that a client keeps, K is ``trained.num_steps``, eta_l is
``local.lr``, eta_g is ``server_lr``. Option I (a full gradient at w^t) is not offered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from fedcore.aggregators import Accumulator
from fedcore.algorithms.base import DELTA, LOSS, METHODS, Gradient, Method
from fedcore.clients.training import Batch, ClientData, LocalContext, Trained
from fedcore.messages import Message, Update
from fedcore.params import Params, Section, add, vector, zeros_like
from fedcore.spec.algorithms import ScaffoldSpec
from fedcore.state import MODEL, ClientState, RunState
from fedcore.wire.schema import Schema, layout_infos

CONTROL = "control"
CONTROL_DELTA = "control_delta"


@METHODS.implements(ScaffoldSpec)
@dataclass(frozen=True, eq=False)
class Scaffold(Method[ScaffoldSpec]):
    """Steps along ``g_i - c_i + c``; all participants count alike."""

    def initial_tensors(self, model: Params) -> Mapping[str, Section]:
        """Return the model and the server's control variate, zero."""
        return {MODEL: model, CONTROL: zeros_like(model)}

    def downlink(self, state: RunState, client_id: int) -> Message:  # noqa: ARG002
        """Return the model and the server's control variate."""
        return Message(
            sections={MODEL: state.model, CONTROL: state.tensors[CONTROL]},
            base_version=state.round_index,
        )

    def expected_update(self, state: RunState, client_id: int) -> Schema:  # noqa: ARG002
        """Return two vectors like the model."""
        infos = layout_infos(self.context.layout)
        return Schema("update", ((DELTA, infos), (CONTROL_DELTA, infos)), (LOSS,))

    def transform_grad(
        self, gradient: Gradient, weights: Tensor, batch: Batch, context: LocalContext
    ) -> Tensor:
        """Return ``g_i - c_i + c``; c_i is zero the first time."""
        direction = gradient(weights, batch) + context.received_flat[CONTROL]
        own = context.private_flat.get(CONTROL)
        return direction if own is None else direction.sub_(own)

    def weight(self, data: ClientData) -> float:  # noqa: ARG002
        """Return 1: the paper's means over participants are uniform."""
        return 1.0

    def uplink(self, trained: Trained, message: Message, data: ClientData) -> Update:
        """Return the change of the model and of the client's control variate."""
        update = super().uplink(trained, message, data)
        change = self._control_change(trained, message)
        return replace(update, sections={**update.sections, CONTROL_DELTA: change})

    def keep(
        self, trained: Trained, message: Message, private: ClientState | None
    ) -> ClientState | None:
        """Return the client's new control variate."""
        change = self._control_change(trained, message)
        if private is None:
            return ClientState({CONTROL: change})
        return ClientState({CONTROL: add(vector(private.sections, CONTROL), change)})

    def _control_change(self, trained: Trained, message: Message) -> Params:
        """Return ``c_i+ - c_i = (w^t - x_K) / (K eta) - c``, in which c_i itself cancels."""
        control = vector(message.sections, CONTROL)
        scale = 1.0 / (max(trained.num_steps, 1) * self.context.local.lr)
        moved = torch.sub(trained.start.flat, trained.params.flat)
        return control.with_flat(moved.mul_(scale).sub_(control.flat))

    def finish(self, accumulator: Accumulator, state: RunState) -> RunState:
        """Return the state with model and control variate moved: ``c += m/N mean(c_i+ - c_i)``."""
        combined = self.context.aggregator.finish(accumulator)
        moved = self.server_step(state, combined)
        share = accumulator.count / self.context.num_clients
        control = add(vector(state.tensors, CONTROL), vector(combined, CONTROL_DELTA), scale=share)
        return replace(moved, tensors={**moved.tensors, CONTROL: control})

    @property
    def server_lr(self) -> float:
        """Step of the server along the mean update."""
        return self.spec.server_lr

"""MOON: a contrastive loss pulls a client's representation towards the global model's.

Source: Li, He and Song, "Model-Contrastive Federated Learning", CVPR 2021, arXiv:2103.16257,
equation 3 and Algorithm 1. Paper to code: z, z_glob and z_prev are the model's ``features`` at the
trained, the received and the client's own last weights (section ``previous`` that it keeps); tau is
``spec.temperature``. The paper puts a projection head of two layers between representation and
classifier; the built-in models have none, and what their last layer sees takes its place (our
choice). The first time a client takes part it has no last model, and trains as in FedAvg.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from fedcore.algorithms.base import METHODS, Method
from fedcore.clients.training import Batch, LocalContext, Trained
from fedcore.messages import Message
from fedcore.models.base import FeatureModel
from fedcore.spec.algorithms import MoonSpec
from fedcore.state import MODEL, ClientState

PREVIOUS = "previous"


def contrast(own: Tensor, positive: Tensor, negative: Tensor, temperature: float) -> Tensor:
    """Return the mean model-contrastive loss of representations of shape (n, features)."""
    near = functional.cosine_similarity(own, positive, dim=1) / temperature
    far = functional.cosine_similarity(own, negative, dim=1) / temperature
    return functional.softplus(far - near).mean()


@METHODS.implements(MoonSpec)
@dataclass(frozen=True, eq=False)
class Moon(Method[MoonSpec]):
    """FedAvg on ``loss + mu * contrast``; ``mu = 0`` is FedAvg to the last bit."""

    def local_loss(
        self, params: Mapping[str, Tensor], batch: Batch, context: LocalContext
    ) -> Tensor:
        """Return the loss of a batch, with the contrast once the client has a last model."""
        loss = super().local_loss(params, batch, context)
        previous = context.private.get(PREVIOUS)
        if self.spec.mu == 0 or previous is None:
            return loss
        model = self.context.model
        if not isinstance(model, FeatureModel):
            raise TypeError(f"{type(model).__name__} shows no features")
        with torch.no_grad():
            positive = model.features(context.received[MODEL], batch.x)
            negative = model.features(previous, batch.x)
        own = model.features(params, batch.x)
        return loss + self.spec.mu * contrast(own, positive, negative, self.spec.temperature)

    def keep(
        self,
        trained: Trained,
        message: Message,  # noqa: ARG002
        private: ClientState | None,  # noqa: ARG002
    ) -> ClientState | None:
        """Return the trained model, the negative of the client's next round."""
        if self.spec.mu == 0:
            return None
        return ClientState({PREVIOUS: trained.params})

    @property
    def server_lr(self) -> float:
        """Step of the server along the mean update."""
        return self.spec.server_lr

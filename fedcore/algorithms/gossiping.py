"""What methods without a server have in common: models of clients' own, mixed with neighbours'.

There is nothing global. ``state.clients[i]`` holds the model x_i (section ``model``), the client's
update is its trained model z_i, and ``finish`` replaces the edges of the graph: it is where a
simulation does at once what the clients do among themselves. ``state.model`` is the average of all
models, which only a simulation can know; it is tested, and exported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeVar

import torch

from fedcore.algorithms.base import LOSS
from fedcore.algorithms.gathering import GatheringMethod
from fedcore.clients.training import ClientData, Trained
from fedcore.messages import Message, Update
from fedcore.params import Layout, Params, vector
from fedcore.spec.algorithms import GossipSpec
from fedcore.state import MODEL, ClientState, RunState
from fedcore.topology import gossip
from fedcore.weights import Weights
from fedcore.wire.schema import Schema, layout_infos

#: Metric: ``1/N sum_i |x_i - mean x|^2``, how far the clients are from agreeing.
CONSENSUS_DISTANCE = "consensus_distance"

SpecT = TypeVar("SpecT", bound=GossipSpec)


@dataclass(frozen=True, eq=False)
class Gossiping(GatheringMethod[SpecT]):
    """Clients train their own models, then mix them ``spec.exchanges`` times.

    All start from the same model, that of the seed. A client whose update does not arrive is away:
    it keeps its old model, and the edges to it are gone for the round. One without neighbours
    keeps what it has trained. Clients without examples are no part of the network.
    """

    def downlink(self, state: RunState, client_id: int) -> Message:  # noqa: ARG002
        """Return nothing but the number of the round: there is no server to send a model."""
        return Message(sections={}, base_version=state.round_index)

    def exchanges(self, state: RunState, client_id: int) -> int:
        """Return gossip steps times neighbours that are there."""
        links = self.context.network.links(state.round_index)
        return self.spec.exchanges * len(links[client_id])

    def expected_update(self, state: RunState, client_id: int) -> Schema:  # noqa: ARG002
        """Return the schema of a whole model."""
        return _model_schema(self.context.layout)

    def receive(
        self,
        message: Message,  # noqa: ARG002
        private: ClientState | None,
    ) -> Mapping[str, Weights]:
        """Return the client's own model."""
        return {MODEL: Weights(self._own(private))}

    def uplink(self, trained: Trained, message: Message, data: ClientData) -> Update:
        """Return the trained model z_i, which is what neighbours are sent."""
        return Update(
            sections={MODEL: trained.params},
            scalars={LOSS: trained.loss},
            base_version=message.base_version,
            client_id=data.client_id,
            weight=self.weight(data),
        )

    def server_train(self, state: RunState, updates: Sequence[Update]) -> RunState:
        """Return the state after all gossip steps; nobody serves here, whatever the hook's name."""
        network = self.context.network
        mixed = {update.client_id: vector(update.sections, MODEL).flat for update in updates}
        links = network.links_among(state.round_index, mixed)
        for _ in range(self.spec.exchanges):
            mixed = gossip(mixed, links)
        after = {
            client_id: state.model.with_flat(mixed[client_id])
            if client_id in mixed
            else self._own(state.clients.get(client_id))
            for client_id in network.nodes
        }
        clients = {client_id: ClientState({MODEL: own}) for client_id, own in after.items()}
        return replace(
            state,
            tensors={**state.tensors, MODEL: _average(list(after.values()))},
            clients=state.clients.updated(clients),
        )

    @property
    def has_personal_models(self) -> bool:
        """Whether clients predict with models of their own: they have no other."""
        return True

    def personal_model(self, state: RunState, client_id: int) -> Weights:
        """Return a client's model; the average for those that are no part of the network."""
        private = state.clients.get(client_id)
        return Weights(state.model if private is None else self._own(private))

    def round_metrics(self, state: RunState) -> Mapping[str, float]:
        """Return how far the clients' models are from their average."""
        centre = state.model.flat
        squares = [
            float(torch.linalg.vector_norm(vector(client.sections, MODEL).flat - centre)) ** 2
            for _, client in sorted(state.clients.items())
        ]
        return {CONSENSUS_DISTANCE: sum(squares) / len(squares)} if squares else {}

    def _own(self, private: ClientState | None) -> Params:
        if private is None:
            return self.context.initial().params
        return vector(private.sections, MODEL)


@lru_cache(maxsize=64)
def _model_schema(layout: Layout) -> Schema:
    return Schema("update", ((MODEL, layout_infos(layout)),), (LOSS,))


def _average(models: Sequence[Params]) -> Params:
    """Return the mean as a running one: models that agree come out as they are."""
    mean = models[0].clone()
    for seen, model in enumerate(models[1:], start=2):
        mean.flat.lerp_(model.flat, 1 / seen)
    return mean

"""One-shot clustered FL: one clustering, at the first rise of the temperature of the updates.

Source: Zuziak, Pellungrini and Rinzivillo, "One-Shot Clustering for Federated Learning", IEEE
BigData 2024, arXiv:2503.04231, Algorithm 1; extended in arXiv:2509.01587. Paper to code: the
temperature of round t is ``temperature`` in the method's state, the models of the clusters are the
sections ``cluster_0``, ``cluster_1``, ... of the state, and ``model`` is their mean, weighted by
clients, for those who belong to none (our choice). Where not all clients take part in a round, each
counts with its latest update, and there is no clustering before all have reported (our choice).
The round that clusters starts each cluster from the global model of before, and adds its updates
inside the clusters already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from fedcore.algorithms.base import DELTA, METHODS
from fedcore.algorithms.clustering import clusters, distances, temperature
from fedcore.algorithms.gathering import GatheringMethod
from fedcore.messages import Message, Update
from fedcore.params import Params, Section, add, vector
from fedcore.rng import Purpose, rng
from fedcore.spec.algorithms import OcflSpec
from fedcore.state import MODEL, Json, RunState
from fedcore.weights import Weights

#: Section of the state, until clients are clustered: the latest update of each, by its id.
LATEST = "latest"
TEMPERATURE = "temperature"
#: Value of the method's state: the cluster of each client, in the order of their ids.
CLUSTERS = "clusters"


@METHODS.implements(OcflSpec)
@dataclass(frozen=True, eq=False)
class Ocfl(GatheringMethod[OcflSpec]):
    """FedAvg in each cluster; with one cluster, FedAvg."""

    def downlink(self, state: RunState, client_id: int) -> Message:
        """Return the model of the client's cluster."""
        return Message(
            sections={MODEL: _model_of(state, client_id)}, base_version=state.round_index
        )

    def server_train(self, state: RunState, updates: Sequence[Update]) -> RunState:
        """Return the state with each cluster's model moved by the updates of its clients."""
        before = state.model
        if _assignment(state) is None:
            state = self._watched(state, updates)
        assignment = _assignment(state)
        if assignment is None:
            return replace(state, tensors={**state.tensors, MODEL: self._moved(before, updates)})
        models: dict[str, Section] = {}
        for number in range(max(assignment) + 1):
            name = _section(number)
            start = vector(state.tensors, name) if name in state.tensors else before
            members = [update for update in updates if assignment[update.client_id] == number]
            models[name] = self._moved(start, members)
        sizes = [assignment.count(number) for number in range(len(models))]
        mean = _mean([vector(models, name) for name in models], sizes)
        return replace(state, tensors={**state.tensors, MODEL: mean, **models})

    def _watched(self, state: RunState, updates: Sequence[Update]) -> RunState:
        """Return the state with the temperature of this round, and clusters at its first rise."""
        latest = dict(state.tensors.get(LATEST, {}))
        latest |= {str(each.client_id): vector(each.sections, DELTA).flat for each in updates}
        tensors = {**state.tensors, LATEST: latest}
        if len(latest) < self.context.num_clients:
            return replace(state, tensors=tensors)
        rows = [latest[str(client_id)] for client_id in range(self.context.num_clients)]
        apart = distances(torch.stack(rows))
        now, last = temperature(apart), state.method.get(TEMPERATURE)
        method: dict[str, Json] = {**state.method, TEMPERATURE: now}
        if isinstance(last, float) and now > last and len(rows) > 1:
            seed = int(torch.randint(2**31, (), generator=self._generator()))
            method[CLUSTERS] = list(clusters(self.spec, apart, seed))
            del tensors[LATEST]  # it has done its work
        return replace(state, tensors=tensors, method=method)

    def _generator(self) -> torch.Generator:
        return rng(self.context.seed, Purpose.CLUSTERS)

    def _moved(self, start: Params, updates: Sequence[Update]) -> Params:
        """Return a model moved along the mean of some updates; none leave it where it is."""
        if not updates:
            return start
        aggregator = self.context.aggregator
        parts = [aggregator.fold(aggregator.start({}), update) for update in updates]
        combined = aggregator.finish(aggregator.merge_all(parts))
        return add(start, vector(combined, DELTA), scale=self.server_lr)

    # --- afterwards ------------------------------------------------------------------------------

    @property
    def has_personal_models(self) -> bool:
        """Whether clients predict with models of their own: with their cluster's."""
        return True

    def personal_model(self, state: RunState, client_id: int) -> Weights:
        """Return the model of the client's cluster; the global model before there are any."""
        return Weights(_model_of(state, client_id))

    def cluster_of(self, state: RunState, client_id: int) -> int | None:
        """Return the number of the client's cluster."""
        assignment = _assignment(state)
        return None if assignment is None else assignment[client_id]

    def round_metrics(self, state: RunState) -> Mapping[str, float]:
        """Return the temperature until clients are clustered, and the number of clusters."""
        assignment = _assignment(state)
        found = state.method.get(TEMPERATURE)
        measured = {TEMPERATURE: found} if isinstance(found, float) else {}
        count = 1 if assignment is None else max(assignment) + 1
        return {**measured, CLUSTERS: float(count)}

    @property
    def server_lr(self) -> float:
        """Step of the server along the mean update."""
        return self.spec.server_lr


def _section(number: int) -> str:
    return f"cluster_{number}"


def _assignment(state: RunState) -> list[int] | None:
    """Return the cluster of each client, or None before there are any."""
    found = state.method.get(CLUSTERS)
    return [int(str(number)) for number in found] if isinstance(found, list) else None


def _model_of(state: RunState, client_id: int) -> Params:
    assignment = _assignment(state)
    return (
        state.model
        if assignment is None
        else vector(state.tensors, _section(assignment[client_id]))
    )


def _mean(models: Sequence[Params], sizes: Sequence[int]) -> Params:
    """Return the mean of models, each as often as its cluster has clients."""
    mean, seen = models[0].clone(), sizes[0]
    for model, size in zip(models[1:], sizes[1:], strict=True):
        seen += size
        mean.flat.lerp_(model.flat, size / seen)
    return mean

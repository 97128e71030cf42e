"""The hooks of a federated method; together, their defaults are FedAvg.

A method is a class that overrides some of them, and nothing else: the engine never asks which
method it runs. Hooks are pure. What has to outlive a call is returned, as part of the state of the
run (``server_step``) or of what a client keeps for itself (``keep``), never stored on ``self``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor

from fedcore.aggregators import Accumulator, Aggregator, merge_in_tree
from fedcore.algorithms.population import Population
from fedcore.attacks.base import distort_vectors
from fedcore.clients.objective import Objective
from fedcore.clients.optimizers import Optimizer, make_optimizer
from fedcore.clients.recording import Recordings
from fedcore.clients.training import (
    Batch,
    ClientData,
    LocalContext,
    Phase,
    ShouldStop,
    Trained,
    train,
)
from fedcore.messages import Message, Update
from fedcore.models import Model
from fedcore.models.base import draws_numbers
from fedcore.params import Layout, Params, Section, add, subtract, vector
from fedcore.registry import Registry
from fedcore.spec.algorithms import AlgorithmSpec
from fedcore.spec.training import LocalSpec
from fedcore.state import BUFFERS, MODEL, ClientState, RunState
from fedcore.topology import Network
from fedcore.triggers import AllArrived, Trigger
from fedcore.weights import ALL_SHARED, ParamView, Weights, mean_of
from fedcore.wire.schema import Schema, layout_infos

#: Section of an update: trained minus received parameters; the server adds.
DELTA = "delta"
#: Scalar of an update: mean training loss.
LOSS = "loss"
#: Section of what a client keeps: the parameters and buffers of the model that never travel.
OWN = "own"

#: Returns the flat gradient of the local loss at any flat weights, on any batch.
Gradient = Callable[[Tensor, Batch], Tensor]
SpecT = TypeVar("SpecT", bound=AlgorithmSpec)


@dataclass(frozen=True, eq=False)
class MethodContext:
    """What a method works with besides its own settings.

    Attributes:
        model: The model to train.
        layout: Names and shapes of its parameters.
        objective: Loss on the model's outputs.
        local: Local training as the spec asks for it.
        aggregator: Combines updates.
        num_clients: Clients of the run, whether they take part in a round or not.
        initial: Returns the model before round 0, which depends on the seed alone.
        population: What is known of each of them.
        seed: Seed of the run; what all parties can draw from it need not travel.
        network: Who talks to whom, where clients talk to each other.
    """

    model: Model
    layout: Layout
    objective: Objective
    local: LocalSpec
    aggregator: Aggregator
    num_clients: int
    initial: Callable[[], Weights]
    population: Population = field(default_factory=Population)
    seed: int = 0
    network: Network = field(default_factory=Network)


@lru_cache(maxsize=64)
def delta_schema(layout: Layout) -> Schema:
    """Return the schema of an update that is a move of these parameters; one object for each."""
    return Schema("update", ((DELTA, layout_infos(layout)),), (LOSS,))


@dataclass(frozen=True, eq=False)
class Method(Generic[SpecT]):
    """A federated method; ``spec`` holds its own settings."""

    spec: SpecT
    context: MethodContext

    def param_view(self) -> ParamView:
        """Return which parameters and buffers stay on the clients; by default none."""
        return ALL_SHARED

    @cached_property
    def view(self) -> ParamView:
        """What ``param_view`` returns, asked once."""
        return self.param_view()

    # --- server, before and during a round ---------------------------------------------------

    @property
    def trigger(self) -> Trigger:
        """What ends a round; by default the last of the cohort, as in every synchronous method."""
        return AllArrived()

    def initial_tensors(self, model: Params) -> Mapping[str, Section]:
        """Return the sections of the state before round 0; ``model`` is one of them.

        It holds what the clients share of the model, which is all that the server ever sees.
        """
        return {MODEL: self.view.shared(model)}

    def downlink(self, state: RunState, client_id: int) -> Message:  # noqa: ARG002
        """Return what the server sends to a client."""
        return Message(sections={MODEL: state.model}, base_version=state.round_index)

    def travelling(
        self,
        message: Message,
        state: RunState,  # noqa: ARG002
        client_id: int,  # noqa: ARG002
    ) -> Message:
        """Return what of ``downlink`` is put on the wire.

        It differs where a client makes part of the message itself: from what it still holds, or
        from the seed of the run. What travels is what is counted.
        """
        return message

    def exchanges(self, state: RunState, client_id: int) -> int | None:  # noqa: ARG002
        """Return how often a client sends its update to another, and gets one, in a round.

        None where there is a server, to which it sends it once and which sends what travels.
        """
        return None

    def expected_update(self, state: RunState, client_id: int) -> Schema:  # noqa: ARG002
        """Return the schema that a client's update must have to be admitted."""
        return delta_schema(self.view.shared_layout(self.context.layout))

    # --- client ----------------------------------------------------------------------------------

    def receive(self, message: Message, private: ClientState | None) -> Mapping[str, Weights]:
        """Return the models that a client trains, by name; ``model`` is one of them.

        It is what the server sent, completed by what the client keeps of it for itself. A client
        that keeps nothing yet takes the initial values, which all can make from the seed.
        """
        shared = Weights(vector(message.sections, MODEL), message.sections.get(BUFFERS, {}))
        return {MODEL: self.completed(shared, private)}

    def phases(self) -> tuple[Phase, ...]:
        """Return the stages of local training, one after the other."""
        return (Phase(self.context.local),)

    def data_order(
        self, phase: LocalSpec, num_examples: int, generator: torch.Generator
    ) -> Iterator[Tensor]:
        """Yield, pass by pass, the order in which a client visits its examples.

        Each pass is cut into batches, the last of which may be short. A phase counted in steps
        ends when they are done, however many passes this yields.
        """
        passes = 0
        while phase.epochs is None or passes < phase.epochs:
            yield torch.randperm(num_examples, generator=generator)
            passes += 1

    def workload(self, num_examples: int) -> int:
        """Return how many examples a client that holds so many works through in a round.

        It moves the clock of the simulated clients and must be what ``Trained.num_seen`` says.
        """
        return sum(phase.local.examples_seen(num_examples) for phase in self.phases())

    def local_loss(
        self,
        params: Mapping[str, Tensor],
        batch: Batch,
        context: LocalContext,  # noqa: ARG002
    ) -> Tensor:
        """Return the loss of a batch, a scalar that is differentiable in ``params``."""
        outputs = self.context.model.apply(params, batch.x)
        return self.context.objective.loss(outputs, batch.y)

    def transform_grad(
        self,
        gradient: Gradient,
        weights: Tensor,
        batch: Batch,
        context: LocalContext,  # noqa: ARG002
    ) -> Tensor:
        """Return the direction for one step, a flat vector like ``weights``.

        ``gradient(weights, batch)`` evaluates the gradient of ``local_loss``; a method may call it
        several times, at other weights or on other batches. The first call gives the reported loss,
        and the first one on a batch moves the model's running statistics.
        """
        return gradient(weights, batch)

    def local_step(self, phase: LocalSpec) -> Optimizer:
        """Return the rule that moves the weights along a direction."""
        return make_optimizer(phase)

    def weight(self, data: ClientData) -> float:
        """Return how much a client counts in a weighted mean."""
        return float(len(data))

    def train_client(
        self,
        start: Mapping[str, Weights],
        data: ClientData,
        *,
        context: LocalContext,
        generator: torch.Generator,
        should_stop: ShouldStop,
    ) -> Trained:
        """Return the result of local training; see ``fedcore.clients.training.train``.

        A method whose clients do not follow gradients overrides all of it.
        """
        return train(
            self, start, data, context=context, generator=generator, should_stop=should_stop
        )

    def uplink(self, trained: Trained, message: Message, data: ClientData) -> Update:
        """Return what a client sends back."""
        shared = self.view.shared
        return Update(
            sections={DELTA: subtract(shared(trained.params), shared(trained.start))},
            scalars={LOSS: trained.loss},
            base_version=message.base_version,
            client_id=data.client_id,
            weight=self.weight(data),
        )

    def keep(
        self,
        trained: Trained,
        message: Message,  # noqa: ARG002
        private: ClientState | None,  # noqa: ARG002
    ) -> ClientState | None:
        """Return what a client keeps for its next round, or None to keep what it had."""
        if not self.view.private:
            return None
        return ClientState({OWN: self.view.own(trained.weights)})

    def distorted(self, update: Update, attack: Callable[[Tensor], Tensor]) -> Update:
        """Return what an adversary sends instead of an update.

        Args:
            update: What an honest client would send.
            attack: Distorts a vector of numbers in which a longer one means more of a change.
        """
        return distort_vectors(update, attack)

    # --- server, with the updates ----------------------------------------------------------------

    def objection(self, update: Update) -> str | None:  # noqa: ARG002
        """Return why an update of the right form is refused all the same; None lets it in."""
        return None

    def start(self, state: RunState) -> Accumulator:
        """Return an accumulator without updates."""
        return self.context.aggregator.start(state.combined)

    def fold(self, accumulator: Accumulator, update: Update) -> Accumulator:
        """Return the accumulator with one more update."""
        return self.context.aggregator.fold(accumulator, update)

    def merge(self, first: Accumulator, second: Accumulator) -> Accumulator:
        """Return the accumulator of the updates of both."""
        return self.context.aggregator.merge(first, second)

    def merge_all(self, parts: Sequence[Accumulator]) -> Accumulator:
        """Return the accumulator of the updates of all parts, at least one, merged as in a tree."""
        if type(self).merge is Method.merge:
            return self.context.aggregator.merge_all(parts)
        return merge_in_tree(parts, self.merge)

    def finish(self, accumulator: Accumulator, state: RunState) -> RunState:
        """Return the state after the server has used the combined updates."""
        aggregator = self.context.aggregator
        combined = aggregator.finish(accumulator)
        after = self.server_step(state, combined)
        return replace(after, combined=combined) if aggregator.remembers else after

    def server_step(self, state: RunState, combined: Mapping[str, Section]) -> RunState:
        """Return the state with the global model moved along the combined update."""
        moved = add(state.model, vector(combined, DELTA), scale=self.server_lr)
        return replace(state, tensors={**state.tensors, MODEL: moved})

    @property
    def server_lr(self) -> float:
        """Step of the server along the combined update."""
        return 1.0

    # --- afterwards ------------------------------------------------------------------------------

    def evaluate_model(self, state: RunState) -> Weights | None:
        """Return the global model, which is tested and, in the end, exported; None without one.

        Shared buffers may be left out. Somebody who is no client yet has nothing of its own; the
        mean of what the clients keep takes its place, which only a simulation can know.
        """
        if not self.view.private:
            return Weights(state.model)
        clients = (client for _, client in sorted(state.clients.items()))  # the order rounds
        kept = [own for client in clients if (own := _own(client)) is not None]
        return self.joined(Weights(state.model), mean_of(kept) if kept else None)

    @property
    def has_personal_models(self) -> bool:
        """Whether clients predict with models of their own."""
        return bool(self.view.private)

    def personal_model(self, state: RunState, client_id: int) -> Weights:
        """Return the model with which a client predicts, where clients have their own.

        Shared buffers may be left out.
        """
        return self.completed(Weights(state.model), state.clients.get(client_id))

    def cluster_of(self, state: RunState, client_id: int) -> int | None:  # noqa: ARG002
        """Return the number of the group that shares a model with a client; None without groups."""
        return None

    # --- private parts ---------------------------------------------------------------------------

    def completed(self, shared: Weights, private: ClientState | None) -> Weights:
        """Return a whole model of what has travelled and what a client keeps."""
        return self.joined(shared, None if private is None else _own(private))

    def joined(self, shared: Weights, own: Params | None) -> Weights:
        """Return a whole model; without ``own``, the rest is as it was before round 0."""
        if not self.view.private:
            return shared
        rest = self.view.own(self.context.initial()) if own is None else own
        return self.view.join(self.context.layout, shared, rest)

    def round_metrics(self, state: RunState) -> Mapping[str, float]:  # noqa: ARG002
        """Return what the method measured in the round that led to a state, by name."""
        return {}

    @property
    def tracks_listeners(self) -> bool:
        """Whether ``downlink`` depends on when a client was last sent something.

        Then ``state.broadcast.heard`` says in which round that was.
        """
        return False

    # --- what executors may rely on --------------------------------------------------------------

    @property
    def has_plain_gradient(self) -> bool:
        """Whether a step follows the gradient of the local loss as it is."""
        return type(self).transform_grad is Method.transform_grad

    @cached_property
    def recordings(self) -> Recordings | None:
        """Recorded gradients of the local loss; None where it depends on more than the batch."""
        is_plain = type(self).local_loss is Method.local_loss
        return Recordings() if is_plain and not draws_numbers(self.context.model) else None

    @property
    def has_steps(self) -> bool:
        """Whether local training is the steps that the hooks describe."""
        return type(self).train_client is Method.train_client


def _own(client: ClientState) -> Params | None:
    own = client.sections.get(OWN)
    return own if isinstance(own, Params) else None


#: A method of any kind, for code that does not look into its settings.
AnyMethod = Method[Any]


class MethodFactory(Protocol):
    """Makes the method that a spec describes."""

    def __call__(self, spec: AlgorithmSpec, context: MethodContext) -> AnyMethod:
        """Return the method."""


METHODS: Registry[MethodFactory] = Registry(AlgorithmSpec)

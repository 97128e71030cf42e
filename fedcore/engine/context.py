"""Everything about a run that never changes, made from its spec alone.

Two processes that build the context of one spec get the same data, partition and method, so any
of them can do any part of a round.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property, partial

import torch

from fedcore.aggregators import AGGREGATORS
from fedcore.algorithms import METHODS, MethodContext, Population
from fedcore.algorithms.base import AnyMethod
from fedcore.clients.training import ClientData
from fedcore.data import Dataset
from fedcore.engine.clock import Clock
from fedcore.engine.data import divided_data
from fedcore.engine.device import choose_device
from fedcore.engine.memory import check_memory
from fedcore.engine.traffic import Traffic
from fedcore.environment import Folders
from fedcore.models import AdaptedModel, Model, adapt, build_model
from fedcore.models.base import DataShape, initial_buffers, initial_params, layout_of
from fedcore.params import Layout
from fedcore.partition import Partition
from fedcore.pipeline import Pipeline, build_pipeline
from fedcore.privacy.promises import promises_of
from fedcore.privacy.sealing import SealedSum
from fedcore.rng import Purpose, rng
from fedcore.sampling import SAMPLERS, Sampler
from fedcore.spec import RunSpec
from fedcore.spec.models import ModelSpec
from fedcore.spec.rules_trust import SIMULATED
from fedcore.spec.tasks import TaskName
from fedcore.state import BUFFERS, RunState
from fedcore.tasks import Task
from fedcore.topology import Network
from fedcore.weights import Weights


@dataclass(frozen=True, eq=False)
class RunContext:
    """The fixed parts of a run.

    Attributes:
        spec: What the run was asked to be.
        device: Where tensors live.
        dataset: All examples, on the device.
        partition: Which client holds which of them.
        model: The model as a function of what is trained of it.
        layout: Names and shapes of what is trained.
        objective: Loss and metrics.
        methods: The federated method, once for each architecture of the clients' models.
        sampler: Chooses cohorts.
        pipeline: What happens to messages on their way.
        available: Clients that hold at least one example, sorted by id.
    """

    spec: RunSpec
    device: torch.device
    dataset: Dataset
    partition: Partition
    model: Model
    layout: Layout
    objective: Task
    methods: tuple[AnyMethod, ...]
    sampler: Sampler
    pipeline: Pipeline
    available: tuple[int, ...]

    @property
    def method(self) -> AnyMethod:
        """The federated method, as the server sees it."""
        return self.methods[0]

    def method_of(self, client_id: int) -> AnyMethod:
        """Return the federated method with the model of one client."""
        return self.methods[client_id % len(self.methods)]

    def model_spec_of(self, client_id: int | None) -> ModelSpec:
        """Return what describes the model of a client, or the server's."""
        models = (self.spec.model, *self.spec.algorithm.other_models)
        return models[0 if client_id is None else client_id % len(models)]

    @property
    def data_shape(self) -> DataShape:
        """What the model knows of the data."""
        return data_shape(self.dataset)

    @cached_property
    def clock(self) -> Clock:
        """Time and losses of the simulated clients."""
        return Clock(self.spec.system, self.spec.seed, self.spec.messages_in_turn)

    def client_data(self, client_id: int) -> ClientData:
        """Return a client's training examples, as a view."""
        rows = self.partition.train.of_client(client_id)
        return ClientData(client_id, self.dataset.train, rows)


def data_shape(dataset: Dataset) -> DataShape:
    """Return what a model knows of a data set."""
    return DataShape(
        dataset.input_shape, dataset.num_classes, dataset.task_name, dataset.num_tokens
    )


def build_context(spec: RunSpec, folders: Folders) -> RunContext:
    """Return the fixed parts of a run.

    Raises:
        FedcoreError: If the data cannot be read or divided, the model does not fit them or the
            memory, or the device is not there.
    """
    return context_of(spec, *divided_data(spec, folders))


def context_of(spec: RunSpec, dataset: Dataset, partition: Partition) -> RunContext:
    """Return the fixed parts of a run whose data are at hand.

    Raises:
        FedcoreError: If the model does not fit the data or the memory, or the device is not there.
    """
    device = choose_device(spec.runtime.device)
    model = adapt(spec.peft, build_model(spec.model, data_shape(dataset)), spec.seed, device)
    layout = layout_of(model)
    check_memory(layout, spec, device, model.num_frozen if isinstance(model, AdaptedModel) else 0)
    sizes = {c: partition.train.size(c) for c in range(partition.num_clients)}
    available = tuple(client for client, size in sizes.items() if size > 0)
    population = Population(
        sizes={client: sizes[client] for client in available},
        chance=_chance(spec, len(available)),
        # Few methods ask; the context they ask about is made further down.
        durations=cache(lambda: _durations(context)),
        limit_s=None if spec.runtime.placement in SIMULATED else spec.runtime.round_limit_s,
    )
    context = RunContext(
        spec=spec,
        device=device,
        dataset=dataset.to(device),
        partition=partition.to(device),
        model=model,
        layout=layout,
        objective=dataset.task,
        methods=_methods(spec, dataset, model, population, device),
        sampler=SAMPLERS.of(spec.sampling)(spec.sampling),
        pipeline=build_pipeline(
            spec,
            num_clients=partition.num_clients,
            num_labels=dataset.num_classes if dataset.task_name is TaskName.CLASSIFICATION else 0,
            promises=promises_of(
                spec,
                # A site knows how many there are, and only of itself what it holds.
                num_clients=len(available)
                if spec.runtime.placement in SIMULATED
                else spec.partition.clients,
                sizes={client: sizes[client] for client in available},
            ),
        ),
        available=available,
    )
    return context


def _chance(spec: RunSpec, num_available: int) -> float:
    """Return the chance that a round uses a client's update, if all are drawn alike."""
    drawn = spec.sampling.cohort_size(num_available) / max(num_available, 1)
    return drawn * (1 - spec.system.dropout)


def _durations(context: RunContext) -> dict[int, float]:
    """Return how long each client takes for a round on average, in simulated seconds."""
    state = initial_state(context)
    traffic = Traffic(context.method, context.pipeline, state, context.spec.seed)
    return {
        client: context.clock.typical_seconds(
            client,
            num_seen=context.method.workload(context.partition.train.size(client)),
            num_bytes=traffic.deliver(client)[1] + traffic.bytes_up(client),
        )
        for client in context.available
    }


def _methods(
    spec: RunSpec, dataset: Dataset, model: Model, population: Population, device: torch.device
) -> tuple[AnyMethod, ...]:
    """Return the method with each of the models that clients train."""
    shape = data_shape(dataset)
    clock = Clock(spec.system, spec.seed)
    network = Network(spec.topology, tuple(population.sizes), spec.seed, clock.is_lost)
    others = [
        adapt(spec.peft, build_model(other, shape), spec.seed, device)
        for other in spec.algorithm.other_models
    ]
    method_contexts = [
        MethodContext(
            model=each,
            layout=layout_of(each),
            objective=dataset.task,
            local=spec.local,
            aggregator=SealedSum()
            if spec.privacy.secure_aggregation
            else AGGREGATORS.of(spec.aggregation)(spec.aggregation),
            num_clients=spec.partition.clients,
            # Kept once it was asked for: few methods do, then once per client.
            initial=cache(partial(_initial_weights, each, spec.seed, number, device)),
            population=population,
            seed=spec.seed,
            network=network,
        )
        for number, each in enumerate((model, *others))
    ]
    make = METHODS.of(spec.algorithm)
    return tuple(make(spec.algorithm, method_context) for method_context in method_contexts)


def _initial_weights(model: Model, seed: int, number: int, device: torch.device) -> Weights:
    """Return a model before training; ``number`` tells the models of one run apart."""
    generator = rng(seed, Purpose.MODEL_INIT, number or None)
    params = initial_params(model, generator).to(device)
    buffers = initial_buffers(model)
    return Weights(params, {} if buffers is None else dict(buffers.to(device)))


def initial_state(context: RunContext) -> RunState:
    """Return the state before round 0; the model depends on the seed alone.

    Raises:
        PrivacyError: If what the spec promises about the clients' data cannot be kept.
    """
    weights = _initial_weights(context.model, context.spec.seed, 0, context.device)
    method = context.method
    tensors = dict(method.initial_tensors(weights.params))
    buffers = method.view.shared_buffers(weights.buffers)
    if buffers:
        tensors[BUFFERS] = buffers
    return RunState(
        round_index=0, tensors=tensors, privacy=context.pipeline.promises.begin(context.layout)
    )

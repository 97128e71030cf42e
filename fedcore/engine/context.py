"""Everything about a run that never changes, made from its spec alone.

Two processes that build the context of one spec get the same data, partition and method, so any
of them can do any part of a round.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from fedcore.aggregators import AGGREGATORS
from fedcore.algorithms import METHODS, MethodContext
from fedcore.algorithms.base import AnyMethod
from fedcore.clients.training import ClientData
from fedcore.data import Dataset
from fedcore.engine.clock import Clock
from fedcore.engine.data import divided_data
from fedcore.engine.device import choose_device
from fedcore.engine.memory import check_memory
from fedcore.environment import Folders
from fedcore.models import AdaptedModel, Model, adapt, build_model
from fedcore.models.base import DataShape, initial_buffers, initial_params, layout_of
from fedcore.params import Layout
from fedcore.partition import Partition
from fedcore.pipeline import Pipeline, build_pipeline
from fedcore.rng import Purpose, rng
from fedcore.sampling import SAMPLERS, Sampler
from fedcore.spec import RunSpec
from fedcore.spec.tasks import TaskName
from fedcore.state import BUFFERS, RunState
from fedcore.tasks import Task


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
        method: The federated method.
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
    method: AnyMethod
    sampler: Sampler
    pipeline: Pipeline
    available: tuple[int, ...]

    @property
    def data_shape(self) -> DataShape:
        """What the model knows of the data."""
        return data_shape(self.dataset)

    @property
    def clock(self) -> Clock:
        """Time and losses of the simulated clients."""
        return Clock(self.spec.system, self.spec.seed)

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
    device = choose_device(spec.runtime.device)
    dataset, partition = divided_data(spec, folders)
    model = adapt(spec.peft, build_model(spec.model, data_shape(dataset)), spec.seed, device)
    layout = layout_of(model)
    check_memory(layout, spec, device, model.num_frozen if isinstance(model, AdaptedModel) else 0)
    method_context = MethodContext(
        model=model,
        layout=layout,
        objective=dataset.task,
        local=spec.local,
        aggregator=AGGREGATORS.of(spec.aggregation)(spec.aggregation),
        num_clients=partition.num_clients,
        seed=spec.seed,
    )
    sizes = range(partition.num_clients)
    return RunContext(
        spec=spec,
        device=device,
        dataset=dataset.to(device),
        partition=partition.to(device),
        model=model,
        layout=layout,
        objective=dataset.task,
        method=METHODS.of(spec.algorithm)(spec.algorithm, method_context),
        sampler=SAMPLERS.of(spec.sampling)(spec.sampling),
        pipeline=build_pipeline(
            spec,
            num_clients=partition.num_clients,
            num_labels=dataset.num_classes if dataset.task_name is TaskName.CLASSIFICATION else 0,
        ),
        available=tuple(client for client in sizes if partition.train.size(client) > 0),
    )


def initial_state(context: RunContext) -> RunState:
    """Return the state before round 0; the model depends on the seed alone."""
    generator = rng(context.spec.seed, Purpose.MODEL_INIT)
    model = initial_params(context.model, generator).to(context.device)
    tensors = dict(context.method.initial_tensors(model))
    buffers = initial_buffers(context.model)
    if buffers is not None:
        tensors[BUFFERS] = dict(buffers.to(context.device))
    return RunState(round_index=0, tensors=tensors)

"""What a model is: named parameters, how they start, and a function of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from itertools import pairwise
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from fedcore.params import Layout, Params
from fedcore.registry import Registry
from fedcore.spec.models import ModelSpec
from fedcore.spec.tasks import TaskName


@dataclass(frozen=True)
class DataShape:
    """What a model has to know of the data.

    Attributes:
        input_shape: (features,), (channels, height, width) or (tokens,).
        num_classes: Number of outputs: labels, target numbers, or tokens.
        task: What the outputs are for.
        num_tokens: Size of the vocabulary of the inputs; 0 where they are not tokens.
    """

    input_shape: tuple[int, ...]
    num_classes: int
    task: TaskName = TaskName.CLASSIFICATION
    num_tokens: int = 0


class Start(Enum):
    """The law by which a parameter starts."""

    #: Uniform within ``1 / sqrt(fan_in)`` of zero, as in torch's own layers.
    UNIFORM = auto()
    #: Normal with variance ``2 / fan_in``, which keeps the size of activations through ReLU.
    KAIMING = auto()
    #: Normal with deviation 0.02, as in GPT-2 and ViT.
    SMALL = auto()
    ZEROS = auto()
    ONES = auto()


@dataclass(frozen=True)
class ParameterInfo:
    """One parameter.

    Attributes:
        shape: Its shape.
        fan_in: Number of inputs that each output unit sums over.
        start: How it starts.
        is_norm: Whether it belongs to a layer that normalises.
    """

    shape: tuple[int, ...]
    fan_in: int = 1
    start: Start = Start.UNIFORM
    is_norm: bool = False


class TrainingTensors(dict[str, Tensor]):
    """Named parameters and buffers of a model in training.

    A model that is given its tensors as this normalises by the batch, and moves the running
    statistics among them in place. Given any other mapping it is being tested, and normalises by
    the running statistics.
    """


class Model(Protocol):
    """A function of parameters and inputs, without state of its own.

    ``apply`` uses only operations that ``torch.func`` can transform, so that one implementation
    serves a single client, a stack of clients and per-example gradients.
    """

    def parameters(self) -> Mapping[str, ParameterInfo]:
        """Return the parameters by name, in order; nothing is allocated."""

    def apply(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Return the outputs for inputs ``x`` of shape (n, *input_shape)."""


@runtime_checkable
class FeatureModel(Model, Protocol):
    """A model that shows the representation from which its last layer predicts."""

    def features(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Return the representation of inputs ``x`` of shape (n, *input_shape), (n, features)."""


class RandomModel(Model, Protocol):
    """A model whose training may draw random numbers, such as dropout.

    They come from torch's global generator, which local training seeds for each client and round
    and puts back afterwards. Given anything but ``TrainingTensors`` it draws nothing.
    """

    @property
    def draws(self) -> bool:
        """Return whether it does."""


def draws_numbers(model: Model) -> bool:
    """Return whether training draws random numbers for a model; see ``RandomModel``."""
    # Asked for every client; asking whether it has all of the protocol takes ten microseconds.
    return bool(getattr(model, "draws", False))


@runtime_checkable
class BufferedModel(Model, Protocol):
    """A model with buffers: float32 tensors that training changes and no optimiser moves.

    They are named beside the parameters in what ``apply`` is given. There are no buffers of whole
    numbers: batch norm needs no count of batches when its momentum is fixed.
    """

    def buffers(self) -> Mapping[str, ParameterInfo]:
        """Return the buffers by name, in order."""


@runtime_checkable
class PretrainedModel(Model, Protocol):
    """A model that does not start at random."""

    def initial(self, generator: torch.Generator) -> Mapping[str, Tensor]:
        """Return the parameters before training; ``generator`` draws what was not published."""


@runtime_checkable
class DescribedModel(Model, Protocol):
    """A model that another library can load from a folder."""

    def describe(self, folder: Path) -> list[Path]:
        """Write what that library needs beside the parameters, and return the files."""


class ModelFactory(Protocol):
    """Makes a model of one kind for some data."""

    def __call__(self, spec: ModelSpec, data: DataShape) -> Model:
        """Return the model.

        Raises:
            ModelError: If the model cannot work with such data.
        """


#: Deviation of ``Start.SMALL``.
SMALL_STD = 0.02

MODELS: Registry[ModelFactory] = Registry(ModelSpec)


def build_model(spec: ModelSpec, data: DataShape) -> Model:
    """Return the model that a spec describes.

    Raises:
        ModelError: If it cannot work with such data.
    """
    return MODELS.of(spec)(spec, data)


def layout_of(model: Model) -> Layout:
    """Return the layout of a model's parameters."""
    parameters = model.parameters()
    return Layout(tuple(parameters), tuple(info.shape for info in parameters.values()))


def buffer_layout_of(model: Model) -> Layout | None:
    """Return the layout of a model's buffers, or None if it has none."""
    buffers = model.buffers() if isinstance(model, BufferedModel) else {}
    if not buffers:
        return None
    return Layout(tuple(buffers), tuple(info.shape for info in buffers.values()))


def initial_params(model: Model, generator: torch.Generator) -> Params:
    """Return the parameters before training.

    Every draw comes from ``generator``, which torch's own layers do not allow.
    """
    if isinstance(model, PretrainedModel):
        return Params.of(model.initial(generator))
    layout = layout_of(model)
    params = Params(layout, torch.empty(layout.total, dtype=torch.float32))
    for name, info in model.parameters().items():
        _fill(params[name], info, generator)
    return params


def initial_buffers(model: Model) -> Params | None:
    """Return the buffers before training, or None if the model has none."""
    layout = buffer_layout_of(model)
    if layout is None or not isinstance(model, BufferedModel):
        return None
    buffers = Params(layout, torch.zeros(layout.total, dtype=torch.float32))
    for name, info in model.buffers().items():
        buffers[name].fill_(1.0 if info.start is Start.ONES else 0.0)
    return buffers


def _fill(tensor: Tensor, info: ParameterInfo, generator: torch.Generator) -> None:
    if info.start is Start.UNIFORM:
        bound = 1 / math.sqrt(info.fan_in)
        tensor.uniform_(-bound, bound, generator=generator)
    elif info.start is Start.KAIMING:
        tensor.normal_(0.0, math.sqrt(2 / info.fan_in), generator=generator)
    elif info.start is Start.SMALL:
        tensor.normal_(0.0, SMALL_STD, generator=generator)
    else:
        tensor.fill_(1.0 if info.start is Start.ONES else 0.0)


def dense_parameters(prefix: str, widths: tuple[int, ...]) -> dict[str, ParameterInfo]:
    """Return weights and biases of fully connected layers, named as torch would name them."""
    parameters: dict[str, ParameterInfo] = {}
    for position, (inputs, outputs) in enumerate(pairwise(widths)):
        parameters[f"{prefix}.{position}.weight"] = ParameterInfo((outputs, inputs), inputs)
        parameters[f"{prefix}.{position}.bias"] = ParameterInfo((outputs,), inputs)
    return parameters

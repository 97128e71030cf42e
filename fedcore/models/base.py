"""What a model is: named parameters, how they start, and a function of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
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


@dataclass(frozen=True)
class ParameterInfo:
    """One parameter: its shape, and the number of inputs that each output unit sums over."""

    shape: tuple[int, ...]
    fan_in: int


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


class ModelFactory(Protocol):
    """Makes a model of one kind for some data."""

    def __call__(self, spec: ModelSpec, data: DataShape) -> Model:
        """Return the model.

        Raises:
            ModelError: If the model cannot work with such data.
        """


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


def initial_params(model: Model, generator: torch.Generator) -> Params:
    """Return fresh parameters, each uniform within ``1 / sqrt(fan_in)`` of zero.

    The law is that of torch's own layers; the generator is passed in, which theirs do not allow.
    """
    layout = layout_of(model)
    params = Params(layout, torch.empty(layout.total, dtype=torch.float32))
    for name, info in model.parameters().items():
        bound = 1 / math.sqrt(info.fan_in)
        params[name].uniform_(-bound, bound, generator=generator)
    return params


def dense_parameters(prefix: str, widths: tuple[int, ...]) -> dict[str, ParameterInfo]:
    """Return weights and biases of fully connected layers, named as torch would name them."""
    parameters: dict[str, ParameterInfo] = {}
    for position, (inputs, outputs) in enumerate(pairwise(widths)):
        parameters[f"{prefix}.{position}.weight"] = ParameterInfo((outputs, inputs), inputs)
        parameters[f"{prefix}.{position}.bias"] = ParameterInfo((outputs,), inputs)
    return parameters

"""Models of which only a part is trained: that part is the run's flat vector.

The rest is frozen. It follows from the spec and its seed, so every process makes it once, and it
is never sent. Whatever is in the mapping that ``apply`` is given takes the place of what is frozen
under that name, which is how a method can move the frozen part, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from fedcore.errors import ModelError
from fedcore.models.base import (
    FeatureModel,
    Model,
    ParameterInfo,
    initial_buffers,
    initial_params,
)
from fedcore.params import Params
from fedcore.registry import Registry
from fedcore.rng import Purpose, rng
from fedcore.spec.models import BiasSpec, FullTrainingSpec, HeadSpec, PeftSpec


@runtime_checkable
class AdaptedModel(Model, Protocol):
    """A model with a frozen part."""

    @property
    def num_frozen(self) -> int:
        """Return how many numbers are frozen."""

    def initial(self, generator: torch.Generator) -> Mapping[str, Tensor]:
        """Return what is trained, before training."""

    def whole(self, params: Mapping[str, Tensor]) -> Params:
        """Return all tensors of the model underneath, given those that were trained."""

    def describe_adapter(self, folder: Path, params: Mapping[str, Tensor]) -> list[Path]:
        """Write what was trained so that another library can load it, and return the files."""


@runtime_checkable
class HeadedModel(Model, Protocol):
    """A model that knows its output layer, rather than having it last."""

    def head(self) -> tuple[str, ...]:
        """Return the names of the output layer's parameters; none if it is shared."""


#: Returns the parameters and buffers of a model before training, where the run computes.
StartOf = Callable[[], Mapping[str, Tensor]]


class Adaptation(Protocol):
    """Freezes a part of a model."""

    def __call__(self, spec: PeftSpec, base: Model, start: StartOf) -> Model:
        """Return the model that is trained.

        Raises:
            ModelError: If it has no such part.
        """


ADAPTATIONS: Registry[Adaptation] = Registry(PeftSpec)


def adapt(spec: PeftSpec, base: Model, seed: int, device: torch.device) -> Model:
    """Return the model that a run trains: the whole, or an ``AdaptedModel``.

    Raises:
        ModelError: If the model has no such part, or cannot be loaded.
    """

    def start() -> Mapping[str, Tensor]:
        tensors = dict(initial_params(base, rng(seed, Purpose.MODEL_INIT)))
        buffers = initial_buffers(base)
        tensors |= {} if buffers is None else dict(buffers)
        return {name: tensor.to(device) for name, tensor in tensors.items()}

    return ADAPTATIONS.of(spec)(spec, base, start)


@ADAPTATIONS.implements(FullTrainingSpec)
def nothing_frozen(spec: PeftSpec, base: Model, start: StartOf) -> Model:
    """Return the model as it is."""
    del spec, start
    return base


def head_of(model: Model) -> tuple[str, ...]:
    """Return the names of the output layer's parameters; none if it has no layer of its own."""
    if isinstance(model, HeadedModel):
        return model.head()
    parameters = model.parameters()
    last = list(parameters)[-1]
    if parameters[last].is_norm:
        return ()
    layer = last.rpartition(".")[0]
    return tuple(name for name in parameters if name.rpartition(".")[0] == layer)


@dataclass(frozen=True, eq=False)
class PartlyTrained:
    """A model of which some parameters are trained as they are.

    Running statistics are frozen, too, and the model normalises by them, in training as in tests.

    Attributes:
        base: The model underneath.
        start: Its parameters and buffers before training.
        names: Which parameters are trained.
    """

    base: Model
    start: Mapping[str, Tensor]
    names: tuple[str, ...]

    @cached_property
    def _infos(self) -> dict[str, ParameterInfo]:
        parameters = self.base.parameters()
        return {name: parameters[name] for name in self.names}

    @property
    def num_frozen(self) -> int:
        """How many numbers are frozen."""
        return sum(t.numel() for name, t in self.start.items() if name not in self._infos)

    def parameters(self) -> Mapping[str, ParameterInfo]:
        """Return the parameters that are trained."""
        return self._infos

    def initial(self, generator: torch.Generator) -> Mapping[str, Tensor]:  # noqa: ARG002
        """Return them as the whole model starts with them."""
        return {name: self.start[name] for name in self.names}

    def apply(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Return the outputs for inputs ``x``."""
        # A plain mapping, whatever was given: see TrainingTensors.
        return self.base.apply({**self.start, **params}, x)

    def features(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Return the representation of inputs ``x``.

        Raises:
            ModelError: If the model underneath does not show it.
        """
        if not isinstance(self.base, FeatureModel):
            raise ModelError("the model shows no representation", field="model.kind")
        return self.base.features({**self.start, **params}, x)

    def whole(self, params: Mapping[str, Tensor]) -> Params:
        """Return all parameters and buffers."""
        return Params.of({**self.start, **params})

    def describe_adapter(
        self,
        folder: Path,  # noqa: ARG002
        params: Mapping[str, Tensor],  # noqa: ARG002
    ) -> list[Path]:
        """Return nothing: the whole model says it all."""
        return []


@ADAPTATIONS.implements(HeadSpec)
def head_only(spec: PeftSpec, base: Model, start: StartOf) -> AdaptedModel:
    """Return a model whose output layer is trained.

    Raises:
        ModelError: If it has none of its own.
    """
    return PartlyTrained(base, start(), _found(spec, head_of(base)))


@ADAPTATIONS.implements(BiasSpec)
def biases_and_head(spec: PeftSpec, base: Model, start: StartOf) -> AdaptedModel:
    """Return a model whose biases and output layer are trained.

    Raises:
        ModelError: If it has neither.
    """
    head = head_of(base)
    names = [name for name in base.parameters() if name in head or name.endswith("bias")]
    return PartlyTrained(base, start(), _found(spec, tuple(names)))


def _found(spec: PeftSpec, names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        raise ModelError(
            f"the model has nothing that peft {spec.kind} could train; its output layer is shared",
            field="peft.kind",
            fix="Use peft none, or lora with a Hugging Face model.",
        )
    return names

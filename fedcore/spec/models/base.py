"""The family of models, and the rules that decide which data one can read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, ClassVar

from pydantic import Field

from fedcore.spec.base import Choice
from fedcore.spec.data import DatasetInfo
from fedcore.spec.problems import Problem
from fedcore.spec.tasks import InputKind, TaskName

Width = Annotated[int, Field(ge=1, le=65_536)]

#: What a model with one output per label, or per target, can learn.
ONE_ANSWER = (TaskName.CLASSIFICATION, TaskName.REGRESSION, TaskName.MULTI_LABEL)


class ModelSpec(Choice):
    """The model that all clients train."""

    section: ClassVar[str] = "model"
    #: What an example may look like.
    input_kinds: ClassVar[tuple[InputKind, ...]] = ()
    #: Whether its layers are modules of the transformers library.
    has_modules: ClassVar[bool] = False
    #: Whether its output layer is its own, as far as that is known before it is loaded.
    has_head: ClassVar[bool] = True
    #: Whether it is made of layers of weights alone, from which edges can be left out.
    is_maskable: ClassVar[bool] = False
    #: What it can learn.
    tasks: ClassVar[tuple[TaskName, ...]] = ONE_ANSWER

    @property
    def feature_width(self) -> int | None:
        """Width of what the last layer sees, for models that show it."""
        return None

    @property
    def has_statistics(self) -> bool:
        """Whether it normalises by running statistics, which training moves by itself."""
        return False

    @property
    def has_features(self) -> bool:
        """Whether it shows what its last layer sees."""
        return self.feature_width is not None

    def num_parameters(self, data: DatasetInfo) -> int | None:  # noqa: ARG002
        """Return the number of trainable numbers for this data, or None if it is not known yet."""
        return None

    def layer_edges(self, data: DatasetInfo) -> tuple[int, ...] | None:  # noqa: ARG002
        """Return the number of weights of each layer, or None if the model does not tell it."""
        return None

    def misfits(self, shape: tuple[int, ...]) -> Iterator[Problem]:  # noqa: ARG002
        """Return what these settings hold against examples of this shape."""
        return iter(())


def dense(*widths: int) -> int:
    """Return the number of weights and biases of fully connected layers."""
    return sum(outputs * (inputs + 1) for inputs, outputs in pairwise(widths))

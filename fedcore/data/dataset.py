"""A data set in memory: contiguous tensors, loaded once, of which clients are index views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

import torch
from torch import Tensor

from fedcore.data.groups import Groups
from fedcore.spec.tasks import InputKind, TaskName
from fedcore.tasks import UNSCALED, TargetScale, Task, make_task


@dataclass(frozen=True, eq=False)
class Examples:
    """Inputs ``x`` of shape (n, *input_shape) and targets ``y`` of shape (n, ...).

    Images and vectors are float32, tokens int32. Classes and tokens to predict are int64, numbers
    and labels float32.
    """

    x: Tensor
    y: Tensor

    def __len__(self) -> int:
        return len(self.y)

    def take(self, indices: Tensor) -> Examples:
        """Return the examples at ``indices``, in that order, in memory of their own."""
        return Examples(self.x.index_select(0, indices), self.y.index_select(0, indices))

    def to(self, device: torch.device) -> Examples:
        """Return the examples on a device."""
        return Examples(self.x.to(device), self.y.to(device))


class Preparation(Protocol):
    """How raw inputs become model inputs; part of an exported model."""

    def apply(self, raw: Any) -> Tensor:
        """Return model inputs of shape (n, *input_shape)."""

    def to_json(self) -> dict[str, Any]:
        """Return what is needed to make the same preparation again, with its ``kind``."""


@dataclass(frozen=True)
class Scaling:
    """Numbers scaled all alike: ``(raw / divisor - mean) / std``."""

    divisor: float = 1.0
    mean: float = 0.0
    std: float = 1.0

    def apply(self, raw: Tensor) -> Tensor:
        """Return float32 model inputs; ``raw`` keeps its values."""
        scaled = raw.to(torch.float32, copy=True)
        return scaled.div_(self.divisor).sub_(self.mean).div_(self.std)

    def to_json(self) -> dict[str, Any]:
        """Return the three numbers."""
        return {"kind": "scaling", **asdict(self)}


@dataclass(frozen=True, eq=False, kw_only=True)
class Dataset:
    """A data set with a fixed test split.

    Attributes:
        train: What the clients share out.
        test: Held out; never trained on.
        num_classes: Labels, target numbers, or tokens of which the next one is chosen.
        task_name: What is learnt.
        input_kind: What one example looks like.
        num_tokens: Size of the vocabulary of the inputs; 0 where they are not tokens.
        class_names: Names of the classes, labels or target numbers; empty if they have none.
        groups: Natural owners of the examples by column; the first is the usual one.
        scale: Units of the targets of a regression.
        preparation: How the inputs were made from raw values.
        name: Kind in the spec.
        fingerprint: Hash of the tensors; a checkpoint names it.
    """

    train: Examples
    test: Examples
    num_classes: int
    task_name: TaskName = TaskName.CLASSIFICATION
    input_kind: InputKind = InputKind.VECTOR
    num_tokens: int = 0
    class_names: tuple[str, ...] = ()
    groups: Mapping[str, Groups] = field(default_factory=dict)
    scale: TargetScale = UNSCALED
    preparation: Preparation = Scaling()
    name: str = ""
    fingerprint: str = ""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one example: (features,), (channels, height, width) or (tokens,)."""
        return tuple(self.train.x.shape[1:])

    @property
    def task(self) -> Task:
        """Loss and metrics of what is learnt."""
        return make_task(self.task_name, self.num_classes, self.scale)

    def take(self, train: Tensor, test: Tensor) -> Dataset:
        """Return the data set of some of the training and test examples, in this order."""
        groups = {column: owners.take(train, test) for column, owners in self.groups.items()}
        return replace(self, train=self.train.take(train), test=self.test.take(test), groups=groups)

    def to(self, device: torch.device) -> Dataset:
        """Return the data set on a device; owners stay where they are."""
        return replace(self, train=self.train.to(device), test=self.test.to(device))

"""What a model learns: the loss that training lowers, and sums that give the metrics.

A task says what each example adds to the metrics. These rows add up, over all examples or over
those of one client, and in whatever pieces an evaluation is cut, before they become metrics.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import torch
from torch import Tensor

from fedcore.spec.tasks import TASK_METRICS, Metric, TaskName

#: Target of a position that is not to be predicted, such as padding.
IGNORED = -100


@dataclass(frozen=True)
class TargetScale:
    """Units of the targets that a model is trained on: ``(raw - mean) / std``.

    Attributes:
        mean: One number per target.
        std: One number per target.
    """

    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()


#: Targets that are used as they are.
UNSCALED = TargetScale()


@dataclass(frozen=True)
class Task(ABC):
    """What is learnt from one data set.

    Attributes:
        num_outputs: Labels, target numbers, or tokens.
        scale: Units of the targets of a regression.
    """

    name: ClassVar[TaskName]
    num_outputs: int
    scale: TargetScale = UNSCALED

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics of this task; the first is the one to look at."""
        return TASK_METRICS[self.name]

    @abstractmethod
    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each example, shape (n,).

        Args:
            outputs: What the model returned, shape (n, num_outputs), or (n, tokens, num_outputs).
            targets: What it should be, shape (n, ...).
        """

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss, which training lowers: a scalar that can be differentiated."""
        return self.losses(outputs, targets).mean()

    @abstractmethod
    def tally(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return what each example adds to the metrics, shape (n, columns), float64."""

    @abstractmethod
    def summarise(self, tally: Tensor) -> dict[str, float]:
        """Return the metrics of at least one example from the sum of their tallies, (columns,)."""


TaskT = TypeVar("TaskT", bound=Task)
_TASKS: dict[TaskName, type[Task]] = {}


def registered(implementation: type[TaskT]) -> type[TaskT]:
    """Register the decorated class as the implementation of the task that it names.

    Raises:
        TypeError: If the task has one already.
    """
    if implementation.name in _TASKS:
        raise TypeError(f"task {implementation.name} has two implementations")
    _TASKS[implementation.name] = implementation
    return implementation


def task_classes() -> Mapping[TaskName, type[Task]]:
    """Return all tasks by name."""
    return dict(_TASKS)


def make_task(name: TaskName, num_outputs: int, scale: TargetScale = UNSCALED) -> Task:
    """Return the task of one data set.

    Raises:
        LookupError: If nothing implements it, which is a mistake in this package.
    """
    try:
        implementation = _TASKS[name]
    except KeyError:
        raise LookupError(f"nothing implements task {name}") from None
    return implementation(num_outputs, scale)


def columns(*parts: Tensor) -> Tensor:
    """Return vectors of one number per example side by side, float64."""
    return torch.stack([part.to(torch.float64) for part in parts], dim=1)

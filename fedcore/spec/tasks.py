"""What is learnt from a data set, the metrics that tell how well, and what an input is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Literal


class TaskName(StrEnum):
    """What a model is asked for."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"
    MULTI_LABEL = "multi_label"
    NEXT_TOKEN = "next_token"  # noqa: S105  (no password)


class InputKind(StrEnum):
    """What one example looks like to a model.

    ``text`` is made into tokens by the tokenizer that belongs to the model; ``tokens`` are numbers
    already and fit every model that reads numbers.
    """

    IMAGE = "image"
    VECTOR = "vector"
    TOKENS = "tokens"
    TEXT = "text"


@dataclass(frozen=True)
class Metric:
    """One number that says how good a model is.

    Attributes:
        name: Key in a round's metrics.
        higher_is_better: Whether a target is reached from below.
        lowest: Smallest possible value, if there is one.
        highest: Largest possible value, if there is one.
    """

    name: str
    higher_is_better: bool
    lowest: float | None = None
    highest: float | None = None


_LOSS = Metric("loss", higher_is_better=False, lowest=0.0)
_ACCURACY = Metric("accuracy", higher_is_better=True, lowest=0.0, highest=1.0)

#: Metrics of each task; the first is the one to look at.
TASK_METRICS: Mapping[TaskName, tuple[Metric, ...]] = MappingProxyType(
    {
        TaskName.CLASSIFICATION: (_ACCURACY, _LOSS),
        TaskName.REGRESSION: (
            Metric("mse", higher_is_better=False, lowest=0.0),
            Metric("mae", higher_is_better=False, lowest=0.0),
            Metric("r2", higher_is_better=True, highest=1.0),
            _LOSS,
        ),
        TaskName.MULTI_LABEL: (
            Metric("micro_f1", higher_is_better=True, lowest=0.0, highest=1.0),
            Metric("subset_accuracy", higher_is_better=True, lowest=0.0, highest=1.0),
            _LOSS,
        ),
        TaskName.NEXT_TOKEN: (
            _ACCURACY,
            Metric("perplexity", higher_is_better=False, lowest=1.0),
            _LOSS,
        ),
    }
)

#: Names of all metrics, for the schema.
MetricName = Literal[
    "accuracy", "loss", "mse", "mae", "r2", "micro_f1", "subset_accuracy", "perplexity"
]
#: Every metric by name; a name means the same thing in every task that has it.
METRICS: Mapping[str, Metric] = MappingProxyType(
    {metric.name: metric for metrics in TASK_METRICS.values() for metric in metrics}
)

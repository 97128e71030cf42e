"""Rules between the data and what is done with them: partition, model, metrics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fedcore.spec.problems import Problem
from fedcore.spec.rules import rule
from fedcore.spec.tasks import METRICS, TASK_METRICS, InputKind, TaskName

if TYPE_CHECKING:
    from fedcore.spec.run import RunSpec

_KINDS = {
    InputKind.IMAGE: "images",
    InputKind.VECTOR: "numbers",
    InputKind.TOKENS: "tokens",
    InputKind.TEXT: "text",
}
_TASKS = {
    TaskName.CLASSIFICATION: "classification",
    TaskName.REGRESSION: "regression",
    TaskName.MULTI_LABEL: "labels",
    TaskName.NEXT_TOKEN: "the next token",
}
_SUGGESTIONS = {
    InputKind.IMAGE: "linear, mlp or cnn",
    InputKind.VECTOR: "linear or mlp",
    InputKind.TOKENS: "dan for labels, char_lstm or tiny_gpt for the next token",
    InputKind.TEXT: "dan or huggingface for labels, char_lstm or tiny_gpt for the next token",
}


@rule
def enough_samples(spec: RunSpec) -> Iterator[Problem]:
    """Every client needs at least one example."""
    info = spec.dataset.info()
    partition = spec.partition
    if info is None:
        return
    each = partition.smallest_share
    if partition.clients > info.num_train:
        yield Problem(
            "partition.clients",
            "too_many",
            f"{partition.clients} clients cannot share the {info.num_train} training examples "
            f"of {spec.dataset.kind}.",
            f"Set partition.clients to at most {info.num_train}.",
        )
    elif partition.clients * each > info.num_train:
        yield Problem(
            "partition.min_size",
            "too_many",
            f"{partition.clients} clients with at least {each} examples each need more than the "
            f"{info.num_train} training examples of {spec.dataset.kind}.",
            f"Set partition.min_size to at most {info.num_train // partition.clients}.",
        )


@rule
def labels_can_be_divided(spec: RunSpec) -> Iterator[Problem]:
    """A partition by label needs labels, and enough of them."""
    partition = spec.partition
    if not partition.needs_labels:
        return
    if spec.dataset.known_task() is TaskName.NEXT_TOKEN:
        yield Problem(
            "partition.kind",
            "needs_labels",
            f"A {partition.kind} partition divides by label, and text to continue has none.",
            "Use partition iid.",
        )
        return


@rule
def model_fits_data(spec: RunSpec) -> Iterator[Problem]:
    """A model must be able to read the inputs, and to learn the task."""
    dataset, model = spec.dataset, spec.model
    kind, task = dataset.known_input_kind(), dataset.known_task()
    if kind is not None and kind not in model.input_kinds:
        readable = " or ".join(_KINDS[known] for known in model.input_kinds)
        yield Problem(
            "model.kind",
            f"needs_{model.input_kinds[0].value}",
            f"{model.title} needs {readable}, and {dataset.kind} has {_KINDS[kind]}.",
            f"Use model {_SUGGESTIONS[kind]}, or another data set.",
        )
        return
    if task is not None and task not in model.tasks:
        yield Problem(
            "model.kind",
            "wrong_task",
            f"{model.title} cannot learn {_TASKS[task]}, which is the task of {dataset.kind}.",
            f"Use model {_SUGGESTIONS[kind]}." if kind else "Use another model.",
        )
        return
    info = dataset.info()
    if info is not None:
        yield from model.misfits(info.input_shape)


@rule
def target_fits_task(spec: RunSpec) -> Iterator[Problem]:
    """A target is a metric of the task, at a value that the metric can reach."""
    target, task = spec.evaluation.target, spec.dataset.known_task()
    if target is None:
        return
    if task is not None and target.metric not in {metric.name for metric in TASK_METRICS[task]}:
        names = ", ".join(metric.name for metric in TASK_METRICS[task])
        yield Problem(
            "evaluation.target.metric",
            "unknown_metric",
            f"{spec.dataset.kind} is about {_TASKS[task]}, which has no {target.metric}.",
            f"Use one of: {names}.",
        )
        return
    metric = METRICS[target.metric]
    if metric.highest is not None and metric.lowest is not None:
        if not metric.lowest < target.value <= metric.highest:
            yield Problem(
                "evaluation.target.value",
                "out_of_range",
                f"{target.metric} lies between {metric.lowest:g} and {metric.highest:g}, "
                f"not at {target.value:g}.",
                "Write 95 % as 0.95.",
            )
    elif metric.highest is not None and target.value > metric.highest:
        yield Problem(
            "evaluation.target.value",
            "out_of_range",
            f"{target.metric} is at most {metric.highest:g}.",
            f"Give a value of at most {metric.highest:g}.",
        )
    elif metric.lowest is not None and target.value <= metric.lowest:
        yield Problem(
            "evaluation.target.value",
            "out_of_range",
            f"{target.metric} is above {metric.lowest:g}, so this target can never be met.",
            f"Give a value above {metric.lowest:g}.",
        )

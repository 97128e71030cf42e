"""Rules between the data and what is done with them: partition, model, metrics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fedcore.spec.attacks import LabelFlipSpec
from fedcore.spec.data import (
    CustomDatasetSpec,
    FeaturePartitionSpec,
    NaturalPartitionSpec,
    ShardsPartitionSpec,
)
from fedcore.spec.models import ModelSpec
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


@rule
def enough_samples(spec: RunSpec) -> Iterator[Problem]:
    """Every client needs at least one example."""
    info = spec.dataset.info()
    partition = spec.partition
    # A natural partition takes as many owners as there are, up to the number of clients.
    if info is None or isinstance(partition, NaturalPartitionSpec):
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
        field = "classes_per_client" if isinstance(partition, ShardsPartitionSpec) else "min_size"
        yield Problem(
            f"partition.{field}",
            "too_many",
            f"{partition.clients} clients with at least {each} examples each need more than the "
            f"{info.num_train} training examples of {spec.dataset.kind}.",
            f"Set partition.{field} to at most {info.num_train // partition.clients}.",
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
            "Use partition iid, quantity, embedding or natural.",
        )
        return
    info = spec.dataset.published()
    if info is None or info.task is not TaskName.CLASSIFICATION:
        return
    if isinstance(partition, ShardsPartitionSpec) and partition.mode == "classes":
        yield from _owned_classes(partition, info.num_classes)


def _owned_classes(partition: ShardsPartitionSpec, num_classes: int) -> Iterator[Problem]:
    each = partition.classes_per_client
    if each > num_classes:
        yield Problem(
            "partition.classes_per_client",
            "too_many",
            f"There are only {num_classes} classes.",
            f"Set partition.classes_per_client to at most {num_classes}.",
        )
    elif each * partition.clients < num_classes:
        yield Problem(
            "partition.classes_per_client",
            "too_few",
            f"{partition.clients} clients with {each} classes each leave some of the "
            f"{num_classes} classes without an owner.",
            f"Set partition.classes_per_client to at least {-(-num_classes // partition.clients)}.",
        )


@rule
def labels_can_be_flipped(spec: RunSpec) -> Iterator[Problem]:
    """An attack on labels needs labels."""
    task = spec.dataset.known_task()
    if isinstance(spec.attack, LabelFlipSpec) and task not in (None, TaskName.CLASSIFICATION):
        yield Problem(
            "attack.kind",
            "needs_labels",
            f"{spec.dataset.kind} has no classes that could be flipped.",
            "Use another attack, or a data set with classes.",
        )


@rule
def natural_needs_owners(spec: RunSpec) -> Iterator[Problem]:
    """A natural partition needs a column that names the owner."""
    partition, groups = spec.partition, spec.dataset.known_groups()
    if not isinstance(partition, NaturalPartitionSpec):
        return
    if not groups and isinstance(spec.dataset, CustomDatasetSpec):
        yield Problem(
            "dataset.group",
            "missing",
            "A natural partition needs the column that names the owner of each row.",
            "Set dataset.group to that column, or use another partition.",
        )
    elif not groups:
        yield Problem(
            "partition.kind",
            "needs_groups",
            f"Nobody owns the examples of {spec.dataset.kind}, so there are no natural clients.",
            "Use partition dirichlet, or data set shakespeare, heart, adult or synthetic.",
        )
    elif partition.by is not None and partition.by not in groups:
        yield Problem(
            "partition.by",
            "unknown_column",
            f"{spec.dataset.kind} has no owners by {partition.by!r}.",
            f"Use one of: {', '.join(groups)}.",
        )


@rule
def features_can_be_changed(spec: RunSpec) -> Iterator[Problem]:
    """Noise and contrast need numbers, a rotation needs images."""
    partition, kind = spec.partition, spec.dataset.known_input_kind()
    if not isinstance(partition, FeaturePartitionSpec) or kind is None:
        return
    if kind in (InputKind.TEXT, InputKind.TOKENS):
        yield Problem(
            "partition.kind",
            "needs_numbers",
            f"A feature partition changes images or numbers, and {spec.dataset.kind} has "
            f"{_KINDS[kind]}.",
            "Use another partition.",
        )
    elif partition.transform == "rotation" and kind is not InputKind.IMAGE:
        yield Problem(
            "partition.transform",
            "needs_image",
            f"Only images can be rotated, and {spec.dataset.kind} has {_KINDS[kind]}.",
            "Use transform noise or contrast.",
        )


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
            _other_models(kind, task),
        )
        return
    if task is not None and task not in model.tasks:
        yield Problem(
            "model.kind",
            "wrong_task",
            f"{model.title} cannot learn {_TASKS[task]}, which is the task of {dataset.kind}.",
            _other_models(kind, task),
        )
        return
    info = dataset.info()
    if info is not None:
        yield from model.misfits(info.input_shape)


def _other_models(kind: InputKind | None, task: TaskName | None) -> str:
    """Return a sentence that names the models that could be used instead."""
    fitting = [
        name
        for name, model in ModelSpec.kinds().items()
        if (kind is None or kind in model.input_kinds) and (task is None or task in model.tasks)
    ]
    return f"Use one of: {', '.join(fitting)}." if fitting else "Use another data set."


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

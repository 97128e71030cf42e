"""Rules between methods that leave clients with models of their own, and the rest of a spec."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from fedcore.spec.algorithms import DittoSpec
from fedcore.spec.models import ModelSpec
from fedcore.spec.problems import Problem
from fedcore.spec.rules import rule
from fedcore.spec.tasks import InputKind, TaskName

if TYPE_CHECKING:
    from fedcore.spec.run import RunSpec


@rule
def pull_converges(spec: RunSpec) -> Iterator[Problem]:
    """A step along the pull must not overshoot the global model by more than it was away."""
    method, local = spec.algorithm, spec.local
    if not isinstance(method, DittoSpec) or local.optimizer != "sgd":
        return
    if method.pull * local.lr >= 1:
        yield Problem(
            "algorithm.pull",
            "out_of_range",
            f"A pull of {method.pull:g} with local.lr {local.lr:g} drives personal models away "
            "from the global one.",
            f"Set algorithm.pull below {1 / local.lr:g}, or lower local.lr.",
        )


@rule
def method_fits_task(spec: RunSpec) -> Iterator[Problem]:
    """Some methods speak of classes."""
    task = spec.dataset.known_task()
    if spec.algorithm.needs_classes and task not in (None, TaskName.CLASSIFICATION):
        yield Problem(
            "algorithm.kind",
            "wrong_task",
            f"{spec.algorithm.title} needs examples with one label each, unlike "
            f"{spec.dataset.kind}.",
            "Use another method, or a data set with classes.",
        )


@rule
def several_models_travel(spec: RunSpec) -> Iterator[Problem]:
    """Where clients are sent different models, some things that all would share do not exist."""
    method = spec.algorithm
    if method.has_one_model:
        return
    for place, link in enumerate(spec.compression.downlink):
        if not link.fits_weights and not method.is_decentralised:
            yield Problem(
                f"compression.downlink.{place}.kind",
                "contradiction",
                f"{link.title} sends changes of one model, and with {method.title} clients are "
                "sent different ones.",
                "Use cast or quantize, which code the weights themselves, or no codec.",
            )
    if spec.model.has_statistics:
        yield Problem(
            "model.norm",
            "contradiction",
            f"{method.title} trains several models, which cannot share running statistics.",
            "Set model.norm to group.",
        )


@rule
def other_models_fit(spec: RunSpec) -> Iterator[Problem]:
    """Models of further architectures read the same data and end in a layer of the same width."""
    for place, other in enumerate(spec.algorithm.other_models):
        path = f"algorithm.models.{place}"
        if other.feature_width is None:
            yield Problem(
                f"{path}.kind",
                "contradiction",
                f"{spec.algorithm.title} needs models with a hidden layer, unlike {other.kind}.",
                "Use model mlp, cnn, resnet, vit or dan.",
            )
        elif spec.model.has_features and other.feature_width != spec.model.feature_width:
            yield Problem(
                path,
                "contradiction",
                f"The last hidden layer is {other.feature_width} wide, and that of model is "
                f"{spec.model.feature_width}.",
                "Make the last hidden layer of all models equally wide.",
            )
        yield from _misfits(spec, other, path)


def _misfits(spec: RunSpec, other: ModelSpec, path: str) -> Iterator[Problem]:
    """Return what a further model holds against the data."""
    kind, info = spec.dataset.known_input_kind(), spec.dataset.info()
    if kind is not None and kind not in other.input_kinds:
        yield Problem(
            f"{path}.kind",
            f"needs_{other.input_kinds[0].value}",
            f"{other.title} cannot read {_INPUTS[kind]}, which is what {spec.dataset.kind} has.",
            "Use a model of the same kind of inputs as model.",
        )
    elif info is not None:
        for problem in other.misfits(info.input_shape):
            yield replace(problem, path=problem.path.replace("model", path, 1))


_INPUTS = {
    InputKind.IMAGE: "images",
    InputKind.VECTOR: "plain numbers",
    InputKind.TOKENS: "tokens",
    InputKind.TEXT: "text",
}

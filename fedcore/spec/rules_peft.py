"""Rules between the part of a model that is trained, the model and the method."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fedcore.spec.models import LoraSpec, ModelSpec, ResNetSpec
from fedcore.spec.problems import Problem
from fedcore.spec.rules import rule

if TYPE_CHECKING:
    from fedcore.spec.run import RunSpec


@rule
def adapters_need_modules(spec: RunSpec) -> Iterator[Problem]:
    """LoRA takes hold of the layers of a transformers model."""
    if spec.peft.needs_modules and not spec.model.has_modules:
        able = [kind for kind, model in ModelSpec.kinds().items() if model.has_modules]
        yield Problem(
            "peft.kind",
            "contradiction",
            f"{spec.peft.title} adapts the linear layers of a transformers model, and "
            f"{spec.model.title} has no modules to adapt.",
            f"Set model.kind to {' or '.join(able)}, or peft.kind to head.",
        )


@rule
def heads_exist(spec: RunSpec) -> Iterator[Problem]:
    """An output layer that is trained alone must not be shared with the input."""
    if spec.peft.needs_head and not spec.model.has_head:
        yield Problem(
            "peft.kind",
            "no_head",
            f"The output layer of {spec.model.title} is its token embedding.",
            "Set peft.kind to bias or none.",
        )


@rule
def method_fits_peft(spec: RunSpec) -> Iterator[Problem]:
    """Some methods train LoRA factors, others cannot leave a part of the model alone."""
    method, peft = spec.algorithm, spec.peft
    if method.needs_lora and not isinstance(peft, LoraSpec):
        yield Problem(
            "peft.kind",
            "contradiction",
            f"{method.title} works on LoRA factors, and peft is {peft.kind}.",
            "Set peft: {kind: lora, rank: 8}, with model.kind huggingface.",
        )
    if not method.allows_frozen and not peft.trains_all:
        yield Problem(
            "peft.kind",
            "contradiction",
            f"{method.title} works on the whole model, not on a part of it.",
            "Set peft.kind to none.",
        )
    if isinstance(peft, LoraSpec) and peft.ranks and not method.allows_ranks:
        yield Problem(
            "peft.ranks",
            "contradiction",
            f"{method.title} cannot combine factors of different rank.",
            "Remove peft.ranks, or use algorithm flora.",
        )


@rule
def own_messages_are_not_coded(spec: RunSpec) -> Iterator[Problem]:
    """A method that sends something other than vectors of weights leaves nothing to compress."""
    if not spec.algorithm.has_own_messages:
        return
    for direction in ("uplink", "downlink"):
        if getattr(spec.compression, direction):
            yield Problem(
                f"compression.{direction}",
                "contradiction",
                f"{spec.algorithm.title} has its own small messages, which no codec can read.",
                f"Remove compression.{direction}.",
            )


@rule
def method_fits_steps(spec: RunSpec) -> Iterator[Problem]:
    """A message of fixed size per step needs a fixed number of steps, and nothing beside them."""
    method, local = spec.algorithm, spec.local
    if method.needs_steps and local.steps is None:
        yield Problem(
            "local.steps",
            "missing",
            f"{method.title} needs the same number of steps on every client.",
            "Set local.steps: 200, and leave local.epochs empty.",
        )
    if local.weight_decay > 0 and not method.allows_decay:
        yield Problem(
            "local.weight_decay",
            "contradiction",
            f"{method.title} does not work with weight decay on the clients.",
            "Set local.weight_decay to 0.",
        )


@rule
def method_fits_layers(spec: RunSpec) -> Iterator[Problem]:
    """A network whose edges are chosen must consist of edges."""
    method, model = spec.algorithm, spec.model
    if not method.needs_masks:
        return
    if not model.is_maskable:
        able = [kind for kind, other in ModelSpec.kinds().items() if other.is_maskable]
        yield Problem(
            "model.kind",
            "contradiction",
            f"{method.title} chooses edges of layers, and {model.title} has other parameters.",
            f"Use one of: {', '.join(able)}.",
        )
    elif isinstance(model, ResNetSpec) and model.norm == "batch":
        yield Problem(
            "model.norm",
            "contradiction",
            f"{method.title} keeps no running statistics.",
            "Set model.norm to group.",
        )

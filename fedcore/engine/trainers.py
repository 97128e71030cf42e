"""Which trainer a run uses.

A run begins with the fastest trainer that can compute its method, model and optimiser, and keeps
it: trainers round differently, and a run that is resumed goes on as it began.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import structlog
import torch

from fedcore.clients.trainer import AutogradTrainer, Trainer
from fedcore.engine.context import RunContext
from fedcore.environment import Folders
from fedcore.errors import KernelsError
from fedcore.fast import library
from fedcore.fast.cnn import CnnSteps
from fedcore.fast.compiled import CompiledTrainer
from fedcore.fast.dense import DenseSteps, FusedTrainer
from fedcore.fast.plain import has_plain_steps
from fedcore.fast.usual import usual_inputs
from fedcore.models.cnn import Cnn
from fedcore.models.linear import Linear
from fedcore.models.mlp import Mlp

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
log = structlog.get_logger(__name__)


def choose_trainer(context: RunContext, folders: Folders, begun_with: str | None = None) -> Trainer:
    """Return the trainer for a run.

    Args:
        context: The run.
        folders: Where the compiled operator lies.
        begun_with: Name of the trainer of the earlier rounds, if there are any.

    Raises:
        KernelsError: If the spec asks for one that cannot compute the run here.
    """
    wanted = context.spec.runtime.kernels
    if begun_with is not None:
        kept = _TRAINERS[begun_with](context, folders)
        if kept is not None:
            return kept
        log.warning("the run goes on with other rounding", begun_with=begun_with)
    if wanted != "auto":
        return trainer_named(wanted, context, folders)
    found = (make(context, folders) for make in _TRAINERS.values())
    return next(trainer for trainer in found if trainer is not None)


def trainer_named(name: str, context: RunContext, folders: Folders) -> Trainer:
    """Return the trainer of a name.

    Raises:
        KernelsError: If it cannot compute the run here.
    """
    trainer = _TRAINERS[name](context, folders)
    if trainer is None:
        raise KernelsError(
            f"{name} kernels cannot compute this run on this machine",
            field="runtime.kernels",
            fix="Set it to auto; docs/speed.md says what each of them needs.",
        )
    return trainer


def _compiled(context: RunContext, folders: Folders) -> Trainer | None:
    if not _is_plain(context) or not isinstance(context.model, Linear | Mlp):
        return None
    found = library.find(folders)
    if found is None:
        return None
    return CompiledTrainer.of(found, context.layout, usual_inputs(context.dataset.train.x))


def _fused(context: RunContext, folders: Folders) -> Trainer | None:  # noqa: ARG001
    if not _is_plain(context):
        return None
    if isinstance(context.model, Linear | Mlp):
        return FusedTrainer(DenseSteps.of)
    return FusedTrainer(CnnSteps.of) if isinstance(context.model, Cnn) else None


def _autograd(context: RunContext, folders: Folders) -> Trainer | None:  # noqa: ARG001
    return AutogradTrainer(_DTYPES[context.spec.runtime.precision])


def _is_plain(context: RunContext) -> bool:
    """Return whether hand-written steps compute what the method asks for, on this device."""
    x, y = context.dataset.train.x, context.dataset.train.y
    return (
        context.pipeline.promises.examples is None
        and context.device.type == "cpu"
        and context.spec.runtime.precision == "float32"
        and has_plain_steps(context.method)
        and x.dtype == torch.float32
        and x.is_contiguous()
        and y.dtype == torch.int64
    )


#: Makers of trainers by name, the fastest first; they return None where theirs cannot be used.
_TRAINERS: Mapping[str, Callable[[RunContext, Folders], Trainer | None]] = MappingProxyType(
    {"compiled": _compiled, "fused": _fused, "autograd": _autograd}
)

"""Which trainer a run uses.

A run begins with the fastest trainer that can compute its method, model and optimiser, and keeps
it: trainers round differently, and a run that is resumed goes on as it began.
"""

from __future__ import annotations

from fedcore.clients.trainer import AUTOGRAD, Trainer
from fedcore.engine.context import RunContext
from fedcore.environment import Folders


def trainer_named(name: str, context: RunContext, folders: Folders) -> Trainer:  # noqa: ARG001
    """Return the trainer of a name, for a run that it can compute."""
    return AUTOGRAD

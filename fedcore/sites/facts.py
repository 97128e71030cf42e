"""What a site's policy looks at in a task."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from fedcore.spec import RunSpec
from fedcore.spec.privacy import largest_delta
from fedcore.spec.promised import promised


@dataclass(frozen=True)
class Guarantee:
    """What protects a client's data from whoever sees what it sends.

    Attributes:
        secure_aggregation: Whether the server learns only the sum of all updates.
        dp_level: What differential privacy protects; None without it.
        epsilon: What the whole run spends; None if that is not known.
        delta: Of the same guarantee.
    """

    secure_aggregation: bool = False
    dp_level: Literal["client", "example"] | None = None
    epsilon: float | None = None
    delta: float | None = None


@dataclass(frozen=True)
class TaskFacts:
    """A task as far as a policy is concerned.

    Attributes:
        project: Name of the project.
        dataset: Name of the declared data set.
        method: Kind of the federated method.
        model: Kind of the model.
        rounds: Rounds of the whole run.
        cohort_size: Clients of a round.
        min_updates: Fewest updates that a result may come of.
        guarantee: What protects the updates.
        local_epochs: Passes over the site's data in a round; None if it is not known.
        local_steps: Optimiser steps in a round; None if it is not known.
        model_parameters: Trainable numbers; None before the model is made.
        attack: Kind of the attack that is simulated.
    """

    project: str
    dataset: str
    method: str
    model: str
    rounds: int
    cohort_size: int
    min_updates: int
    guarantee: Guarantee = Guarantee()
    local_epochs: float | None = None
    local_steps: int | None = None
    model_parameters: int | None = None
    attack: str | None = None


@dataclass(frozen=True)
class Work:
    """On what a run would work at a site.

    Attributes:
        dataset: Name of the declared data set.
        num_examples: Its training examples; None if the site does not say.
        num_clients: Clients that the run has in all.
        model_parameters: Trainable numbers; None before the model is made.
    """

    dataset: str
    num_clients: int
    num_examples: int | None = None
    model_parameters: int | None = None


def facts_of(spec: RunSpec, work: Work, *, project: str) -> TaskFacts:
    """Return what a policy looks at in a run that works on a site's data."""
    epochs, steps = _local_work(spec, work.num_examples)
    return TaskFacts(
        project=project,
        dataset=work.dataset,
        method=spec.algorithm.kind,
        model=spec.model.kind,
        rounds=spec.rounds,
        cohort_size=spec.sampling.cohort_size(work.num_clients),
        min_updates=spec.runtime.min_updates,
        guarantee=_guarantee(spec, work),
        local_epochs=epochs,
        local_steps=steps,
        model_parameters=work.model_parameters,
        attack=None if spec.attack is None else spec.attack.kind,
    )


def _guarantee(spec: RunSpec, work: Work) -> Guarantee:
    """Return what the spec promises; what noise comes to, the accountant says."""
    dp, is_secure = spec.privacy.dp, spec.privacy.secure_aggregation
    if dp is None:
        return Guarantee(secure_aggregation=is_secure)
    found = promised(spec, dp)
    delta = found.delta
    if delta is None and work.num_examples is not None:  # the examples are those of the site
        delta = largest_delta(work.num_examples)
    return Guarantee(
        secure_aggregation=is_secure, dp_level=dp.level, epsilon=found.epsilon, delta=delta
    )


def _local_work(spec: RunSpec, num_examples: int | None) -> tuple[float | None, int | None]:
    """Return epochs and steps of one round; each follows from the other and the examples."""
    local = spec.local
    if not num_examples:
        return local.epochs, local.steps
    steps_per_epoch = math.ceil(num_examples / local.batch_size)
    if local.steps is not None:
        return local.steps / steps_per_epoch, local.steps
    epochs = local.epochs or 0
    return epochs, epochs * steps_per_epoch

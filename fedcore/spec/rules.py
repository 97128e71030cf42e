"""Rules that span several sections; each yields every problem that it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from fedcore.spec.problems import Problem
from fedcore.spec.sampling import CohortSpec

if TYPE_CHECKING:
    from fedcore.spec.run import RunSpec

Rule = Callable[["RunSpec"], Iterator[Problem]]
RULES: list[Rule] = []


def rule(function: Rule) -> Rule:
    """Register a rule; rules run in the order in which they are written."""
    RULES.append(function)
    return function


def broken_rules(spec: RunSpec) -> list[Problem]:
    """Return everything that the sections of this spec hold against each other."""
    return [problem for check in RULES for problem in check(spec)]


@rule
def epochs_or_steps(spec: RunSpec) -> Iterator[Problem]:
    """Local work is counted in epochs or in steps."""
    local = spec.local
    if local.epochs is None and local.steps is None:
        yield Problem(
            "local.epochs", "missing", "Neither epochs nor steps is given.", "Set epochs: 3."
        )
    if local.steps is not None and local.epochs is not None:
        yield Problem(
            "local.steps",
            "contradiction",
            "Epochs and steps cannot both be given.",
            "Remove one of local.epochs and local.steps.",
        )


@rule
def momentum_needs_sgd(spec: RunSpec) -> Iterator[Problem]:
    """Adam has its own moments."""
    if spec.local.momentum > 0 and spec.local.optimizer != "sgd":
        yield Problem(
            "local.momentum",
            "contradiction",
            f"Momentum is a setting of sgd, not of {spec.local.optimizer}.",
            "Set momentum to 0, or optimizer to sgd.",
        )


@rule
def method_fits_optimizer(spec: RunSpec) -> Iterator[Problem]:
    """Some methods are only correct with some optimisers on the clients."""
    method, local = spec.algorithm, spec.local
    if local.optimizer not in method.optimizers:
        yield Problem(
            "local.optimizer",
            "contradiction",
            f"{method.title} does not work with {local.optimizer} on the clients.",
            f"Set local.optimizer to {' or '.join(method.optimizers)}.",
        )
    elif local.momentum > 0 and not method.allows_momentum:
        yield Problem(
            "local.momentum",
            "contradiction",
            f"{method.title} does not work with momentum on the clients.",
            "Set local.momentum to 0.",
        )


@rule
def method_fits_aggregation(spec: RunSpec) -> Iterator[Problem]:
    """Some server steps are only defined for the mean of the updates."""
    if spec.algorithm.needs_mean and spec.aggregation.kind != "mean":
        yield Problem(
            "aggregation.kind",
            "contradiction",
            f"{spec.algorithm.title} needs the mean of the updates, not {spec.aggregation.kind}.",
            "Set aggregation.kind to mean, or use algorithm fedavg.",
        )


@rule
def method_fits_model(spec: RunSpec) -> Iterator[Problem]:
    """Some methods compare what a model's last layer sees."""
    if spec.algorithm.needs_features and not spec.model.has_features:
        yield Problem(
            "model.kind",
            "contradiction",
            f"{spec.algorithm.title} needs a model with a hidden layer, unlike {spec.model.kind}.",
            "Use model mlp, cnn, resnet, vit or dan.",
        )


@rule
def fraction_or_count(spec: RunSpec) -> Iterator[Problem]:
    """A cohort is a share or a number of clients."""
    sampling = spec.sampling
    if not isinstance(sampling, CohortSpec):
        return
    if sampling.fraction is None and sampling.count is None:
        yield Problem(
            "sampling.fraction",
            "missing",
            "Neither fraction nor count is given.",
            "Set fraction: 0.5.",
        )
    if sampling.count is not None and sampling.fraction is not None:
        yield Problem(
            "sampling.count",
            "contradiction",
            "A share and a number of clients cannot both be given.",
            "Remove one of sampling.fraction and sampling.count.",
        )
    clients = spec.partition.clients
    if sampling.count is not None and sampling.count > clients:
        yield Problem(
            "sampling.count",
            "too_many",
            f"There are only {clients} clients to choose {sampling.count} from.",
            f"Set sampling.count to at most {clients}, or raise partition.clients.",
        )


@rule
def cohort_reaches_minimum(spec: RunSpec) -> Iterator[Problem]:
    """A round must be able to deliver the updates that it requires."""
    cohort = spec.algorithm.updates_per_round(spec.sampling.cohort_size(spec.partition.clients))
    if spec.runtime.min_updates > cohort:
        yield Problem(
            "runtime.min_updates",
            "too_many",
            f"A round has {cohort} clients and can never deliver "
            f"{spec.runtime.min_updates} updates.",
            f"Set runtime.min_updates to at most {cohort}, or sample more clients.",
        )

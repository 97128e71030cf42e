"""Rules that span several sections; each yields every problem that it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from fedcore.spec.data import DirichletPartitionSpec
from fedcore.spec.problems import Problem
from fedcore.spec.training import RandomSamplingSpec

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
def fraction_or_count(spec: RunSpec) -> Iterator[Problem]:
    """A random cohort is a share or a number of clients."""
    sampling = spec.sampling
    if not isinstance(sampling, RandomSamplingSpec):
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
def enough_samples(spec: RunSpec) -> Iterator[Problem]:
    """Every client needs at least one example."""
    info = spec.dataset.info()
    if info is None:
        return
    partition = spec.partition
    each = partition.min_size if isinstance(partition, DirichletPartitionSpec) else 1
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
def model_fits_data(spec: RunSpec) -> Iterator[Problem]:
    """A convolution needs images that survive its pooling."""
    info = spec.dataset.info()
    if info is None or not spec.model.needs_image:
        return
    if not info.is_image:
        yield Problem(
            "model.kind",
            "needs_image",
            f"{spec.model.title} needs images, and {spec.dataset.kind} has none.",
            "Use model mlp or linear, or an image data set.",
        )
        return
    channels = getattr(spec.model, "channels", ())
    if min(info.input_shape[1:]) < 2 ** len(channels):
        size = "x".join(str(n) for n in info.input_shape[1:])
        yield Problem(
            "model.channels",
            "too_many",
            f"{len(channels)} poolings leave nothing of a {size} image.",
            "Use fewer convolutions.",
        )


@rule
def cohort_reaches_minimum(spec: RunSpec) -> Iterator[Problem]:
    """A round must be able to deliver the updates that it requires."""
    cohort = spec.sampling.cohort_size(spec.partition.clients)
    if spec.runtime.min_updates > cohort:
        yield Problem(
            "runtime.min_updates",
            "too_many",
            f"A round has {cohort} clients and can never deliver "
            f"{spec.runtime.min_updates} updates.",
            f"Set runtime.min_updates to at most {cohort}, or sample more clients.",
        )


@rule
def target_is_reachable(spec: RunSpec) -> Iterator[Problem]:
    """An accuracy is a share, a loss is not negative."""
    target = spec.evaluation.target
    if target is None:
        return
    if target.metric == "accuracy" and not 0 < target.value <= 1:
        yield Problem(
            "evaluation.target.value",
            "out_of_range",
            f"An accuracy lies between 0 and 1, not at {target.value:g}.",
            "Write 95 % as 0.95.",
        )
    if target.metric == "loss" and target.value <= 0:
        yield Problem(
            "evaluation.target.value",
            "out_of_range",
            "A loss is above 0, so this target can never be met.",
            "Give a value above 0.",
        )

"""Rules between privacy and the rest of a spec: what would make a promise untrue is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fedcore.spec.aggregators import MeanSpec
from fedcore.spec.privacy import FEWEST_IN_SUM, DpSpec, largest_delta
from fedcore.spec.problems import Problem
from fedcore.spec.rules import rule
from fedcore.spec.sampling import FullSamplingSpec, PoissonSamplingSpec, RandomSamplingSpec

if TYPE_CHECKING:
    from fedcore.spec.run import RunSpec

_ONE_CHANGE = "fedavg, fedprox, fedavgm, fedadam, fedyogi, fedadagrad, fedsgd or moon"
_PLAIN_STEPS = "fedavg, fedprox, fedavgm, fedadam, fedyogi, fedadagrad or an asynchronous method"
#: Who can be in a cohort, for which there is an account.
_ACCOUNTED = (PoissonSamplingSpec, RandomSamplingSpec, FullSamplingSpec)
#: The noise on the number of short updates is its share of the expected cohort (Andrew et al.).
COUNT_NOISE_SHARE = 1 / 20


@rule
def epsilon_or_noise(spec: RunSpec) -> Iterator[Problem]:
    """Either the promise is given, or the noise."""
    dp = spec.privacy.dp
    if dp is None:
        return
    if dp.epsilon is None and dp.noise_multiplier is None:
        yield Problem(
            "privacy.dp.epsilon",
            "missing",
            "Neither epsilon nor a noise multiplier is given.",
            "Set privacy.dp.epsilon: 8.",
        )
    if dp.epsilon is not None and dp.noise_multiplier is not None:
        yield Problem(
            "privacy.dp.noise_multiplier",
            "contradiction",
            "Epsilon and a noise multiplier cannot both be given: one follows from the other.",
            "Remove one of privacy.dp.epsilon and privacy.dp.noise_multiplier.",
        )


@rule
def delta_promises_something(spec: RunSpec) -> Iterator[Problem]:
    """A delta of one over the number of those protected would allow publishing one of them."""
    dp, count = spec.privacy.dp, num_protected(spec)
    if dp is None or dp.delta is None or count is None or dp.delta <= largest_delta(count):
        return
    yield Problem(
        "privacy.dp.delta",
        "out_of_range",
        f"A delta of {dp.delta:g} promises nothing to one of {count} {_protected(dp)}s.",
        f"Set privacy.dp.delta to at most {largest_delta(count):.2g}, or leave it empty.",
    )


@rule
def whole_update_is_clipped(spec: RunSpec) -> Iterator[Problem]:
    """Whatever the server uses of a client must be in the vector that is clipped."""
    if not spec.privacy.protects("client"):
        return
    method = spec.algorithm
    if method.is_asynchronous:
        yield Problem(
            "algorithm.kind",
            "contradiction",
            f"{method.title} uses stale updates, for which there is no account of client-level "
            "privacy.",
            f"Set algorithm.kind to {_ONE_CHANGE}.",
        )
    elif not method.sends_one_change:
        yield Problem(
            "algorithm.kind",
            "contradiction",
            f"{method.title} uses more of a client than one clipped change of the model.",
            f"Set algorithm.kind to {_ONE_CHANGE}.",
        )
    yield from _statistics_problem(spec, "travel beside the clipped update")


@rule
def private_sum_is_uniform(spec: RunSpec) -> Iterator[Problem]:
    """Noise is made for a sum in which every client counts alike."""
    if not spec.privacy.protects("client"):
        return
    aggregation = spec.aggregation
    if not isinstance(aggregation, MeanSpec):
        yield Problem(
            "aggregation.kind",
            "contradiction",
            f"Client-level privacy adds noise to a sum, and {aggregation.title} is none.",
            "Set aggregation.kind to mean with weighting: uniform.",
        )
    elif aggregation.weighting != "uniform":
        yield Problem(
            "aggregation.weighting",
            "contradiction",
            "Under client-level privacy every client counts alike: weights by examples would "
            "give away how many each has.",
            "Set aggregation.weighting to uniform.",
        )


@rule
def cohorts_are_accounted_for(spec: RunSpec) -> Iterator[Problem]:
    """An account needs to know how likely each client is to take part."""
    if spec.privacy.protects("client") and not isinstance(spec.sampling, _ACCOUNTED):
        yield Problem(
            "sampling.kind",
            "contradiction",
            f"There is no account of client-level privacy for {spec.sampling.title.lower()}: how "
            "likely a client is to take part depends on others.",
            "Set sampling.kind to poisson, random or full.",
        )
    elif (
        spec.privacy.protects("client")
        and spec.runtime.placement == "sites"
        and not isinstance(spec.sampling, FullSamplingSpec)
    ):
        yield Problem(
            "sampling.kind",
            "contradiction",
            "Real sites can work out from the seed who takes part, so that a chance to be left "
            "out hides nobody.",
            "Set sampling.kind to full.",
        )


@rule
def entries_do_not_tell(spec: RunSpec) -> Iterator[Problem]:
    """Which entries travel tells something of the values."""
    if not spec.privacy.protects("client"):
        return
    for place, link in enumerate(spec.compression.uplink):
        if link.support_depends_on_data:
            yield Problem(
                f"compression.uplink.{place}.kind",
                "contradiction",
                f"{link.title} chooses entries by their values, which tells something of the data.",
                "Use randk, whose entries follow from the seed, or no choice of entries.",
            )


@rule
def clip_can_adapt(spec: RunSpec) -> Iterator[Problem]:
    """The clip follows a noisy count of updates, of which there must be enough."""
    dp = spec.privacy.dp
    if dp is None or dp.adaptive_clip is None:
        return
    if dp.level != "client":
        yield Problem(
            "privacy.dp.adaptive_clip",
            "contradiction",
            "Only the clip of clients' updates can adapt, not that of examples' gradients.",
            "Leave privacy.dp.adaptive_clip empty, or set privacy.dp.level to client.",
        )
        return
    count_noise = COUNT_NOISE_SHARE * spec.sampling.cohort_size(spec.partition.clients)
    if dp.noise_multiplier is not None and dp.noise_multiplier >= 2 * count_noise:
        yield Problem(
            "privacy.dp.adaptive_clip",
            "too_few_clients",
            f"Counting short updates in private would use up all of the promise of a noise "
            f"multiplier of {dp.noise_multiplier:g}.",
            f"Sample more than {10 * dp.noise_multiplier:g} clients per round, or leave "
            "privacy.dp.adaptive_clip empty.",
        )


@rule
def steps_are_private(spec: RunSpec) -> Iterator[Problem]:
    """Noise in every local step needs clients that take plain steps, computed by autograd."""
    if not spec.privacy.protects("example"):
        return
    method, runtime = spec.algorithm, spec.runtime
    if not method.takes_plain_steps:
        yield Problem(
            "algorithm.kind",
            "contradiction",
            f"{method.title} uses a client's data in more than plain gradient steps, which "
            "example-level privacy makes private.",
            f"Set algorithm.kind to {_PLAIN_STEPS}.",
        )
    if runtime.kernels in ("fused", "compiled"):
        yield Problem(
            "runtime.kernels",
            "contradiction",
            f"The {runtime.kernels} kernels do not clip the gradient of each example.",
            "Set runtime.kernels to auto.",
        )
    if runtime.executor == "stacked":
        yield Problem(
            "runtime.executor",
            "contradiction",
            "Clients whose steps are private train one by one, each with all examples of a batch "
            "side by side.",
            "Set runtime.executor to auto.",
        )
    yield from _statistics_problem(spec, "are computed from raw examples")


@rule
def updates_add_up_in_secret(spec: RunSpec) -> Iterator[Problem]:
    """Nothing may need an update by itself, and all clients must send the same numbers."""
    if not spec.privacy.secure_aggregation:
        return
    if spec.aggregation.kind != "mean":
        yield Problem(
            "aggregation.kind",
            "contradiction",
            f"{spec.aggregation.title} looks at single updates, which secure aggregation hides.",
            "Set aggregation.kind to mean, or privacy.secure_aggregation to false.",
        )
    method = spec.algorithm
    if method.is_asynchronous:
        yield Problem(
            "algorithm.kind",
            "contradiction",
            f"{method.title} weighs each update by its age, and a secure sum hides which is which.",
            f"Set algorithm.kind to {_ONE_CHANGE}.",
        )
    elif not method.sends_one_change:
        yield Problem(
            "algorithm.kind",
            "contradiction",
            f"{method.title} needs more of a round than the mean of the clients' changes.",
            f"Set algorithm.kind to {_ONE_CHANGE}.",
        )
    if spec.compression.uplink:
        yield Problem(
            "compression.uplink",
            "contradiction",
            "Masked updates are integers that must add up, so they cannot be compressed.",
            "Leave compression.uplink empty, or set privacy.secure_aggregation to false.",
        )
    if spec.sampling.uses_losses:
        yield Problem(
            "sampling.kind",
            "contradiction",
            f"{spec.sampling.title} prefers clients by their loss, which secure aggregation hides.",
            "Set sampling.kind to random.",
        )
    if not spec.privacy.protects("client"):
        yield from _statistics_problem(spec, "do not fit into the integers of a secure sum")


@rule
def secure_sums_hide_in_a_crowd(spec: RunSpec) -> Iterator[Problem]:
    """A sum of two tells each of them the other's numbers."""
    cohort = spec.sampling.cohort_size(spec.partition.clients)
    if spec.privacy.secure_aggregation and cohort < FEWEST_IN_SUM:
        yield Problem(
            "privacy.secure_aggregation",
            "too_few_clients",
            f"A round has {cohort} clients, and a sum of fewer than {FEWEST_IN_SUM} hides nothing.",
            f"Sample {FEWEST_IN_SUM} or more clients per round.",
        )


def num_protected(spec: RunSpec) -> int | None:
    """Return how many clients, or training examples, privacy protects; None if not known yet."""
    if not spec.privacy.protects("example"):
        return spec.partition.clients
    info = spec.dataset.info()
    return None if info is None else info.num_train


def _protected(dp: DpSpec) -> str:
    return "client" if dp.level == "client" else "training example"


def _statistics_problem(spec: RunSpec, why: str) -> Iterator[Problem]:
    if spec.model.has_statistics:
        yield Problem(
            "model.norm",
            "contradiction",
            f"The running statistics of batch norm {why}.",
            "Set model.norm to group.",
        )

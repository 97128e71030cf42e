"""Rules between robust aggregation, compression, attacks and the rest of a spec."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fedcore.spec.aggregators import AggregationSpec, BoundedSpec, MultiKrumSpec
from fedcore.spec.attacks import LabelFlipSpec
from fedcore.spec.compression import CodecSpec, DgcSpec, QuantizeSpec, RandkSpec
from fedcore.spec.problems import Problem
from fedcore.spec.rules import rule
from fedcore.spec.tasks import TaskName

if TYPE_CHECKING:
    from fedcore.spec.run import RunSpec

#: Placements where the server's own machines play the clients.
SIMULATED = frozenset({"local", "workers"})


@rule
def share_or_count_of_bad_clients(spec: RunSpec) -> Iterator[Problem]:
    """The bound of a robust rule is a share or a number."""
    bound = spec.aggregation
    if not isinstance(bound, BoundedSpec):
        return
    if bound.byzantine_fraction is None and bound.byzantine_count is None:
        yield Problem(
            "aggregation.byzantine_fraction",
            "missing",
            "Neither a share nor a number of bad clients is given.",
            "Set aggregation.byzantine_fraction: 0.1.",
        )
    if bound.byzantine_fraction is not None and bound.byzantine_count is not None:
        yield Problem(
            "aggregation.byzantine_count",
            "contradiction",
            "A share and a number of bad clients cannot both be given.",
            "Remove one of aggregation.byzantine_fraction and aggregation.byzantine_count.",
        )


@rule
def cohort_suffices_for_the_rule(spec: RunSpec) -> Iterator[Problem]:
    """A robust rule needs enough updates to tell good from bad."""
    bound = spec.aggregation
    cohort = spec.sampling.cohort_size(spec.partition.clients)
    if isinstance(bound, MultiKrumSpec) and bound.keep is not None and bound.keep > cohort:
        yield Problem(
            "aggregation.keep",
            "too_many",
            f"A round has {cohort} updates, so {bound.keep} cannot be kept.",
            f"Set aggregation.keep to at most {cohort}.",
        )
    elif bound.num_required(cohort) > cohort:
        yield Problem(
            _path_of_bound(bound),
            "too_few_clients",
            f"{bound.title} needs {bound.num_required(cohort)} updates per round with these "
            f"settings, and a round has {cohort}.",
            _advice(bound, cohort),
        )


def _path_of_bound(bound: AggregationSpec) -> str:
    if not isinstance(bound, BoundedSpec):
        return "aggregation"
    is_count = bound.byzantine_count is not None
    return f"aggregation.byzantine_{'count' if is_count else 'fraction'}"


def _advice(bound: AggregationSpec, cohort: int) -> str:
    for count in range(cohort, -1, -1):
        settings = {"byzantine_count": count, "byzantine_fraction": None}
        if bound.model_copy(update=settings).num_required(cohort) <= cohort:
            return (
                "Sample more clients per round, or set aggregation.byzantine_count to at most "
                f"{count}."
            )
    return "Sample more clients per round, or use aggregation median."


@rule
def chains_choose_entries_then_bits(spec: RunSpec) -> Iterator[Problem]:
    """A chain has one link that chooses entries and one that codes them, in this order."""
    for direction, chain in _chains(spec):
        for place, link in enumerate(chain[:-1], start=1):
            following = chain[place]
            if not link.is_support or following.is_support:
                yield Problem(
                    f"{direction}.{place}",
                    "contradiction",
                    f"{following.title} cannot follow {link.title}.",
                    "Choose entries first (topk, randk, dgc), then their bits (cast, quantize, "
                    "qsgd, sign, ternary); one of each at most.",
                )


@rule
def memory_needs_what_it_can_correct(spec: RunSpec) -> Iterator[Problem]:
    """Error feedback and codecs that are right on average exclude each other."""
    for direction, chain in _chains(spec):
        for place, link in enumerate(chain):
            if isinstance(link, QuantizeSpec) and link.error_feedback and link.is_unbiased:
                yield Problem(
                    f"{direction}.{place}.error_feedback",
                    "contradiction",
                    "Stochastic rounding is right on average and leaves nothing to feed back.",
                    "Set rounding: nearest, or error_feedback: false.",
                )
            if (
                isinstance(link, RandkSpec)
                and link.is_unbiased
                and any(other.has_memory for other in chain)
            ):
                yield Problem(
                    f"{direction}.{place}.error_feedback",
                    "contradiction",
                    "Entries that are scaled up must not be fed back as well: that diverges.",
                    "Set error_feedback: true on randk.",
                )


@rule
def momentum_is_not_doubled(spec: RunSpec) -> Iterator[Problem]:
    """Deep Gradient Compression brings its own momentum, on the clients."""
    server = getattr(spec.algorithm, "beta", 0.0) or getattr(spec.algorithm, "beta1", 0.0)
    for place, link in enumerate(spec.compression.uplink):
        if isinstance(link, DgcSpec) and link.momentum > 0 and server > 0:
            yield Problem(
                f"compression.uplink.{place}.momentum",
                "contradiction",
                f"{spec.algorithm.title} has momentum on the server already.",
                "Set momentum to 0 here, or use algorithm fedavg.",
            )


@rule
def downlink_can_be_followed(spec: RunSpec) -> Iterator[Problem]:
    """What the server sends must keep the clients' copy of the model close to the server's."""
    chain = spec.compression.downlink
    if all(link.fits_weights for link in chain):
        return
    for place, link in enumerate(chain):
        if isinstance(link, DgcSpec):
            yield Problem(
                f"compression.downlink.{place}.kind",
                "upload_only",
                "Deep Gradient Compression keeps its memory on the clients.",
                "Use topk on the downlink.",
            )
        elif link.is_unbiased:
            yield Problem(
                f"compression.downlink.{place}.kind",
                "contradiction",
                f"{link.title} may lengthen a change, and the server sends changes that include "
                "the errors of earlier ones: they would grow.",
                "Use quantize or cast, or randk with error_feedback: true.",
            )


@rule
def attackers_exist(spec: RunSpec) -> Iterator[Problem]:
    """Attackers are a share or a number of the clients."""
    attack = spec.attack
    if attack is None:
        return
    if attack.fraction is None and attack.count is None:
        yield Problem(
            "attack.fraction",
            "missing",
            "Neither a share nor a number of attackers is given.",
            "Set attack.fraction: 0.2.",
        )
    if attack.fraction is not None and attack.count is not None:
        yield Problem(
            "attack.count",
            "contradiction",
            "A share and a number of attackers cannot both be given.",
            "Remove one of attack.fraction and attack.count.",
        )
    clients = spec.partition.clients
    if attack.count is not None and attack.count > clients:
        yield Problem(
            "attack.count",
            "too_many",
            f"There are only {clients} clients, so {attack.count} cannot attack.",
            f"Set attack.count to at most {clients}.",
        )


@rule
def attacks_take_place(spec: RunSpec) -> Iterator[Problem]:
    """An attack has rounds to happen in, and exists in simulation only."""
    attack = spec.attack
    if attack is None:
        return
    if attack.first_round >= spec.rounds:
        yield Problem(
            "attack.first_round",
            "out_of_range",
            f"The run ends before round {attack.first_round}; rounds are counted from 0.",
            f"Set attack.first_round to at most {spec.rounds - 1}.",
        )
    if attack.last_round is not None and attack.last_round < attack.first_round:
        yield Problem(
            "attack.last_round",
            "contradiction",
            "The attack ends before it begins.",
            f"Set attack.last_round to at least {attack.first_round}.",
        )
    if spec.runtime.placement not in SIMULATED:
        yield Problem(
            "attack",
            "simulation_only",
            "An attack can only be simulated, never made on real sites.",
            "Remove attack, or set runtime.placement: local.",
        )


@rule
def flipped_labels_exist(spec: RunSpec) -> Iterator[Problem]:
    """Labels to flip are labels of the data set."""
    attack, info = spec.attack, spec.dataset.info()
    if not isinstance(attack, LabelFlipSpec):
        return
    has_classes = spec.dataset.known_task() is TaskName.CLASSIFICATION
    if attack.mode == "targeted" and info is not None and has_classes:
        yield from _labels_out_of_range(attack, spec.dataset.kind, info.num_classes)


def _labels_out_of_range(
    attack: LabelFlipSpec, dataset: str, num_classes: int
) -> Iterator[Problem]:
    labels = {"attack.target": attack.target} | {
        f"attack.sources.{place}": label for place, label in enumerate(attack.sources)
    }
    for path, label in labels.items():
        if label >= num_classes:
            yield Problem(
                path,
                "out_of_range",
                f"{dataset} has no class {label}.",
                f"Use a class from 0 to {num_classes - 1}.",
            )
    if attack.target in attack.sources:
        yield Problem(
            "attack.target",
            "contradiction",
            f"Class {attack.target} cannot become itself.",
            "Choose a target that is not among attack.sources.",
        )


def _chains(spec: RunSpec) -> Iterator[tuple[str, tuple[CodecSpec, ...]]]:
    yield "compression.uplink", spec.compression.uplink
    yield "compression.downlink", spec.compression.downlink

"""Rules between robust aggregation, compression, attacks and the rest of a spec."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fedcore.spec.aggregators import AggregationSpec, BoundedSpec, MultiKrumSpec
from fedcore.spec.problems import Problem
from fedcore.spec.rules import rule

if TYPE_CHECKING:
    from fedcore.spec.run import RunSpec


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

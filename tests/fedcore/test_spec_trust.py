"""Rules of robust aggregation, compression and attacks, each with its path and its fix."""

from __future__ import annotations

from typing import Any

import pytest

from fedcore.spec import RunSpec, check, estimate
from fedcore.spec.aggregators import AggregationSpec, KrumSpec, TrimmedMeanSpec


def problems(data: dict[str, Any]) -> dict[str, str]:
    return {problem.path: problem.code for problem in check(data).problems}


def cohort_of(count: int, **sections: Any) -> dict[str, Any]:
    return {"sampling": {"kind": "random", "count": count}, **sections}


@pytest.mark.parametrize("kind", AggregationSpec.kinds())
def test_every_rule_accepts_the_default_cohort(kind: str) -> None:
    assert problems({"aggregation": {"kind": kind}}) == {}


@pytest.mark.parametrize(
    ("settings", "cohort", "path", "fix"),
    [
        ({"kind": "krum"}, 4, "aggregation.byzantine_fraction", "at most 0"),
        ({"kind": "krum", "byzantine_count": 2}, 6, "aggregation.byzantine_count", "at most 1"),
        ({"kind": "krum"}, 2, "aggregation.byzantine_fraction", "aggregation median"),
        ({"kind": "bulyan", "byzantine_count": 2}, 10, "aggregation.byzantine_count", "at most 1"),
        ({"kind": "trimmed_mean"}, 2, "aggregation.byzantine_fraction", "at most 0"),
        ({"kind": "multi_krum", "keep": 12}, 10, "aggregation.keep", "at most 10"),
    ],
)
def test_a_cohort_that_a_rule_cannot_judge_is_refused(
    settings: dict[str, Any], cohort: int, path: str, fix: str
) -> None:
    (problem,) = check(cohort_of(cohort, aggregation=settings)).problems
    assert problem.path == path
    assert fix in problem.fix


def test_a_share_and_a_number_of_bad_clients_exclude_each_other() -> None:
    both = {"kind": "krum", "byzantine_count": 1, "byzantine_fraction": 0.1}
    assert problems({"aggregation": both}) == {"aggregation.byzantine_count": "contradiction"}
    neither = {"kind": "krum", "byzantine_fraction": None}
    assert problems({"aggregation": neither}) == {"aggregation.byzantine_fraction": "missing"}
    assert problems({"aggregation": {"kind": "krum", "byzantine_count": 1}}) == {}


def test_a_share_of_bad_clients_is_rounded_up() -> None:
    assert [KrumSpec(byzantine_fraction=0.2).num_byzantine(m) for m in (5, 6, 10, 11)] == [
        1,
        2,
        2,
        3,
    ]
    assert TrimmedMeanSpec(byzantine_fraction=0.0).num_required(7) == 1


def test_rules_that_hold_all_updates_cost_memory() -> None:
    mean, median = (
        estimate(RunSpec.parse({"aggregation": {"kind": k}})) for k in ("mean", "median")
    )
    assert mean.memory_bytes is not None
    assert median.memory_bytes is not None
    assert mean.model_parameters is not None
    assert median.memory_bytes - mean.memory_bytes == 10 * 4 * mean.model_parameters

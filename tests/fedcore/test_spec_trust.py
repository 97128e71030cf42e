"""Rules of robust aggregation, compression and attacks, each with its path and its fix."""

from __future__ import annotations

from typing import Any

import pytest

from fedcore.spec import RunSpec, check, estimate
from fedcore.spec.aggregators import AggregationSpec, KrumSpec, TrimmedMeanSpec
from fedcore.spec.compression import CodecSpec


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


def uplink(*links: dict[str, Any]) -> dict[str, Any]:
    return {"compression": {"uplink": list(links)}}


def downlink(*links: dict[str, Any]) -> dict[str, Any]:
    return {"compression": {"downlink": list(links)}}


TOPK, INT8 = {"kind": "topk"}, {"kind": "quantize"}


@pytest.mark.parametrize("kind", CodecSpec.kinds())
def test_every_codec_works_alone_on_the_uplink(kind: str) -> None:
    assert problems(uplink({"kind": kind})) == {}


@pytest.mark.parametrize(
    ("data", "path", "code"),
    [
        (uplink(INT8, TOPK), "compression.uplink.1", "contradiction"),
        (uplink(TOPK, {"kind": "dgc"}), "compression.uplink.1", "contradiction"),
        (uplink(INT8, {"kind": "cast"}), "compression.uplink.1", "contradiction"),
        (downlink(INT8, INT8), "compression.downlink.1", "contradiction"),
        (
            uplink({**INT8, "error_feedback": True, "rounding": "stochastic"}),
            "compression.uplink.0.error_feedback",
            "contradiction",
        ),
        (
            uplink({"kind": "randk"}, {"kind": "sign"}),
            "compression.uplink.0.error_feedback",
            "contradiction",
        ),
        (downlink({"kind": "dgc"}), "compression.downlink.0.kind", "upload_only"),
        (
            {**uplink({"kind": "dgc"}), "algorithm": {"kind": "fedavgm"}},
            "compression.uplink.0.momentum",
            "contradiction",
        ),
        (
            {**uplink({"kind": "dgc"}), "algorithm": {"kind": "fedadam"}},
            "compression.uplink.0.momentum",
            "contradiction",
        ),
        (downlink({"kind": "ternary"}), "compression.downlink.0.kind", "contradiction"),
        (downlink({"kind": "randk"}), "compression.downlink.0.kind", "contradiction"),
        (downlink(TOPK, {"kind": "qsgd"}), "compression.downlink.1.kind", "contradiction"),
        (
            uplink({"kind": "quantize", "bits": 1}),
            "compression.uplink.0.bits",
            "greater_than_equal",
        ),
        (uplink({"kind": "quantise"}), "compression.uplink.0.kind", "unknown_kind"),
        (uplink({"kind": "topk", "ratio": 0}), "compression.uplink.0.ratio", "greater_than"),
        ({"attack": {"kind": "sign_flip", "count": 21}}, "attack.count", "too_many"),
        ({"attack": {"kind": "sign_flip", "fraction": None}}, "attack.fraction", "missing"),
        (
            {"attack": {"kind": "sign_flip", "fraction": 0.1, "count": 2}},
            "attack.count",
            "contradiction",
        ),
        (
            {"attack": {"kind": "sign_flip", "first_round": 20}},
            "attack.first_round",
            "out_of_range",
        ),
        (
            {"attack": {"kind": "sign_flip", "first_round": 3, "last_round": 2}},
            "attack.last_round",
            "contradiction",
        ),
        ({"attack": {"kind": "label_flip", "target": 10}}, "attack.target", "out_of_range"),
        (
            {"attack": {"kind": "label_flip", "sources": [1, 12]}},
            "attack.sources.1",
            "out_of_range",
        ),
        ({"attack": {"kind": "label_flip", "target": 1}}, "attack.target", "contradiction"),
    ],
)
def test_what_cannot_work_is_refused_with_its_path(
    data: dict[str, Any], path: str, code: str
) -> None:
    (problem,) = check(data).problems
    assert (problem.path, problem.code) == (path, code)
    assert problem.message.endswith(".")


@pytest.mark.parametrize(
    "data",
    [
        uplink(TOPK, INT8),
        uplink(TOPK, {"kind": "ternary"}),
        uplink({"kind": "dgc"}, {"kind": "cast"}),
        uplink({"kind": "randk"}, {"kind": "qsgd"}),
        downlink({"kind": "qsgd"}),
        downlink(TOPK, INT8),
        downlink({"kind": "randk", "error_feedback": True}),
        {"attack": {"kind": "label_flip", "mode": "complement", "target": 1}},
        {"attack": {"kind": "sign_flip", "count": 3}},
    ],
)
def test_what_works_is_accepted(data: dict[str, Any]) -> None:
    spec = RunSpec.parse(data)
    assert RunSpec.from_yaml(spec.to_yaml()) == spec


def test_the_estimate_counts_coded_bytes() -> None:
    plain = estimate(RunSpec.parse({}))
    coded = estimate(RunSpec.parse(uplink(INT8)))
    count = plain.model_parameters
    assert count is not None
    assert coded.bytes_up_per_round == 10 * (count + 4)
    assert coded.bytes_down_per_round == plain.bytes_down_per_round == 10 * 4 * count
    assert coded.bytes_total == 20 * 10 * (count + 4 + 4 * count)


def test_the_estimate_follows_a_warm_up_and_clients_that_miss_messages() -> None:
    dgc = estimate(RunSpec.parse(uplink({"kind": "dgc", "warmup_rounds": 3})))
    assert dgc.bytes_up_per_round is not None
    assert dgc.bytes_down_per_round is not None
    assert dgc.bytes_total is not None
    assert dgc.bytes_total > 20 * (dgc.bytes_up_per_round + dgc.bytes_down_per_round)
    full, half = (
        estimate(
            RunSpec.parse({**downlink(TOPK), "sampling": {"kind": "random", "fraction": share}})
        )
        for share in (1.0, 0.5)
    )
    assert full.bytes_down_per_round is not None
    assert half.bytes_down_per_round is not None
    assert half.bytes_down_per_round > 10 * full.bytes_down_per_round


def test_what_clients_remember_costs_memory_for_every_client() -> None:
    def memory(*links: dict[str, Any]) -> int:
        cost = estimate(RunSpec.parse(uplink(*links)))
        assert cost.memory_bytes is not None
        assert cost.model_parameters is not None
        return cost.memory_bytes // (4 * cost.model_parameters)

    assert memory(TOPK) - memory(INT8) == 20
    assert memory({"kind": "dgc"}) - memory(INT8) == 40


def test_labels_can_only_be_flipped_where_there_are_classes() -> None:
    data = {
        "dataset": {"kind": "shakespeare"},
        "model": {"kind": "char_lstm"},
        "partition": {"kind": "iid"},
        "attack": {"kind": "label_flip"},
    }
    assert problems(data)["attack.kind"] == "needs_labels"

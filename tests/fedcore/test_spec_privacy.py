"""The privacy section: what it refuses, with path and fix, and what old specs make of it."""

from __future__ import annotations

from typing import Any

import pytest

from fedcore.spec import RunSpec, check, estimate
from fedcore.spec.algorithms import AlgorithmSpec
from fedcore.spec.privacy import largest_delta


def client_level(dp: dict[str, Any] | None = None, **sections: Any) -> dict[str, Any]:
    """Return a spec with client-level privacy that has no problem of its own."""
    usual = {
        "privacy": {"dp": {"level": "client", **(dp or {})}},
        "aggregation": {"kind": "mean", "weighting": "uniform"},
        "sampling": {"kind": "poisson"},
    }
    return {**usual, **sections}


def example_level(dp: dict[str, Any] | None = None, **sections: Any) -> dict[str, Any]:
    return {"privacy": {"dp": {"level": "example", **(dp or {})}}, **sections}


def in_secret(**sections: Any) -> dict[str, Any]:
    return {"privacy": {"secure_aggregation": True}, **sections}


def paths(document: dict[str, Any]) -> set[str]:
    problems = check(document).problems
    assert all(problem.message and problem.fix for problem in problems)
    return {problem.path for problem in problems}


def test_by_default_nothing_is_promised() -> None:
    spec = RunSpec()
    assert spec.privacy.dp is None
    assert not spec.privacy.secure_aggregation


def test_a_stored_spec_without_the_section_is_still_read() -> None:
    old = RunSpec().model_dump(mode="json")
    del old["privacy"]
    assert RunSpec.parse(old) == RunSpec()


@pytest.mark.parametrize(
    "document",
    [
        client_level(),
        client_level(sampling={"kind": "random"}),
        client_level(sampling={"kind": "full"}),
        client_level({"noise_multiplier": 0}),
        client_level({"adaptive_clip": 0.5}, partition={"kind": "iid", "clients": 500}),
        client_level(privacy={"dp": {"epsilon": 2}, "secure_aggregation": True}),
        client_level(compression={"uplink": [{"kind": "randk"}, {"kind": "quantize"}]}),
        example_level(),
        example_level(aggregation={"kind": "krum"}),
        example_level(compression={"uplink": [{"kind": "topk"}]}),
        in_secret(),
    ],
)
def test_what_can_be_promised_is_accepted(document: dict[str, Any]) -> None:
    assert check(document).problems == ()


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (client_level({"epsilon": None}), "privacy.dp.epsilon"),
        (client_level({"epsilon": 1, "noise_multiplier": 1}), "privacy.dp.noise_multiplier"),
        (client_level({"delta": 0.1}), "privacy.dp.delta"),
        (client_level(aggregation={"kind": "median"}), "aggregation.kind"),
        (client_level(aggregation={"kind": "mean"}), "aggregation.weighting"),
        (client_level(algorithm={"kind": "scaffold"}), "algorithm.kind"),
        (client_level(sampling={"kind": "round_robin"}), "sampling.kind"),
        (client_level(sampling={"kind": "oort"}), "sampling.kind"),
        (client_level(compression={"uplink": [{"kind": "topk"}]}), "compression.uplink.0.kind"),
        (client_level(compression={"uplink": [{"kind": "dgc"}]}), "compression.uplink.0.kind"),
        (
            client_level({"noise_multiplier": 2, "adaptive_clip": 0.5}),
            "privacy.dp.adaptive_clip",
        ),
        (example_level({"adaptive_clip": 0.5}), "privacy.dp.adaptive_clip"),
        (example_level({"delta": 0.01}), "privacy.dp.delta"),
        (example_level(algorithm={"kind": "scaffold"}), "algorithm.kind"),
        (example_level(runtime={"kernels": "fused"}), "runtime.kernels"),
        (example_level(runtime={"executor": "stacked"}), "runtime.executor"),
        (in_secret(aggregation={"kind": "krum"}), "aggregation.kind"),
        (in_secret(aggregation={"kind": "norm_clip", "max_norm": 1}), "aggregation.kind"),
        (in_secret(algorithm={"kind": "fednova"}), "algorithm.kind"),
        (in_secret(compression={"uplink": [{"kind": "quantize"}]}), "compression.uplink"),
        (in_secret(sampling={"kind": "oort"}), "sampling.kind"),
        (in_secret(sampling={"kind": "random", "count": 2}), "privacy.secure_aggregation"),
    ],
)
def test_an_untrue_promise_is_refused_where_it_is_made(document: dict[str, Any], path: str) -> None:
    assert paths(document) == {path}


def test_stale_updates_have_no_account() -> None:
    document = client_level(algorithm={"kind": "fedbuff", "buffer": 2}, sampling={"kind": "random"})
    assert "algorithm.kind" in paths(document)
    assert "sampling.kind" in paths({**document, "sampling": {"kind": "poisson"}})


@pytest.mark.parametrize("document", [client_level(), example_level(), in_secret()])
def test_running_statistics_are_not_private(document: dict[str, Any]) -> None:
    images = {"dataset": {"kind": "cifar10"}, "model": {"kind": "resnet", "norm": "batch"}}
    assert "model.norm" in paths({**document, **images})
    assert "model.norm" not in paths({**document, **images, "model": {"kind": "resnet"}})


def test_noise_replaces_the_default_of_epsilon() -> None:
    spec = RunSpec.parse(client_level({"noise_multiplier": 1.5}))
    assert spec.privacy.dp is not None
    assert spec.privacy.dp.epsilon is None


def test_all_problems_are_told_at_once() -> None:
    document = {
        "privacy": {"dp": {"level": "client"}, "secure_aggregation": True},
        "aggregation": {"kind": "krum"},
        "algorithm": {"kind": "scaffold"},
        "sampling": {"kind": "oort"},
        "compression": {"uplink": [{"kind": "topk"}]},
    }
    assert paths(document) >= {
        "aggregation.kind",
        "algorithm.kind",
        "sampling.kind",
        "compression.uplink.0.kind",
        "compression.uplink",
    }


def test_the_usual_delta_is_below_one_over_the_number_of_those_protected() -> None:
    assert largest_delta(1000) == pytest.approx(1000**-1.1)
    assert largest_delta(1) < 1


@pytest.mark.parametrize("kind", AlgorithmSpec.kinds())
def test_a_method_whose_update_has_other_parts_is_never_called_one_change(kind: str) -> None:
    method = AlgorithmSpec.kinds()[kind]
    if method.sends_one_change:
        assert method.vectors_sent == 1
        assert not method.has_own_messages
        assert not method.needs_individual_updates
        assert not method.is_asynchronous
        assert not method.is_decentralised


# --- what it will promise -------------------------------------------------------------------------


def test_the_estimate_names_the_promise_and_a_noise_that_keeps_it() -> None:
    many = {"partition": {"kind": "iid", "clients": 1000}, "rounds": 100}
    poisson = {"kind": "poisson", "fraction": 0.01}
    cost = estimate(RunSpec.parse(client_level({"epsilon": 4}, **many, sampling=poisson)))
    assert cost.epsilon == 4
    assert cost.delta == largest_delta(1000)
    assert cost.noise_multiplier is not None
    given = {"noise_multiplier": cost.noise_multiplier}
    again = estimate(RunSpec.parse(client_level(given, **many, sampling=poisson)))
    assert again.epsilon is not None
    assert 3.99 < again.epsilon <= 4


def test_without_noise_nothing_is_promised_and_without_privacy_nothing_is_estimated() -> None:
    cost = estimate(RunSpec.parse(client_level({"noise_multiplier": 0})))
    assert (cost.epsilon, cost.noise_multiplier) == (None, 0)
    cost = estimate(RunSpec())
    assert (cost.epsilon, cost.delta, cost.noise_multiplier) == (None, None, None)


def test_noise_for_examples_is_known_when_the_clients_data_are() -> None:
    cost = estimate(RunSpec.parse(example_level({"epsilon": 2})))
    assert (cost.epsilon, cost.noise_multiplier) == (2, None)
    assert cost.delta == largest_delta(1437)

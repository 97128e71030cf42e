"""A spec for real sites says all that it needs, and each problem has its field."""

from __future__ import annotations

from typing import Any

import pytest

from fedcore.spec import check
from tests.fedcore.test_at_sites import SPEC


def problems(**sections: Any) -> set[str]:
    return {problem.path for problem in check({**SPEC, **sections}).problems}


def test_a_spec_for_sites_says_all_that_it_needs() -> None:
    runtime = SPEC["runtime"]
    assert problems() == set()
    assert problems(partition={"kind": "iid", "clients": 3}) == {"partition.kind"}
    assert problems(partition={"kind": "sites", "clients": 4}) == {"partition.clients"}
    assert problems(runtime={**runtime, "round_limit_s": None}) == {"runtime.round_limit_s"}
    assert problems(runtime={**runtime, "min_updates": 4}) == {"runtime.min_updates"}
    assert problems(runtime={**runtime, "sites": ["a", "a", "b"]}) == {"runtime.sites"}
    assert problems(runtime={**runtime, "sites": []}) == {"runtime.sites"}
    assert problems(runtime={**runtime, "deadline_s": 5}) == {"runtime.deadline_s"}
    assert problems(system={"dropout": 0.1}) == {"system"}
    assert problems(dataset={**SPEC["dataset"], "max_train": 5}) == {"dataset.max_train"}
    assert problems(algorithm={"kind": "fedbn"}) >= {"algorithm.kind"}
    assert problems(attack={"kind": "sign_flip"}) >= {"attack"}
    assert "runtime.sites" in {p.path for p in check({"runtime": {"sites": ["north"]}}).problems}


def test_asynchronous_methods_take_real_sites() -> None:
    runtime = SPEC["runtime"]
    two = {**runtime, "min_updates": 2}
    step = {"kind": "fedbuff", "buffer": 2, "restart": "at_aggregation"}
    assert problems(algorithm=step, runtime=two) == set()
    assert problems(algorithm={"kind": "async-fedavg"}) == set()
    assert problems(algorithm={"kind": "fedfix"}) == set()
    assert problems(algorithm={"kind": "fedbuff", "buffer": 2}) == set()
    assert problems(algorithm={**step, "buffer": 4}) == {"algorithm.buffer"}
    assert problems(algorithm={"kind": "fedfix"}, runtime=two) == {"runtime.min_updates"}
    assert problems(algorithm={"kind": "async-fedavg"}, runtime=two) == {"runtime.min_updates"}
    deadline = {**runtime, "deadline_s": 5}
    assert "runtime.deadline_s" in problems(algorithm=step, runtime=deadline)


def test_a_secure_sum_of_stale_updates_is_refused_with_the_reason() -> None:
    found = check({**SPEC, **SECURE, "algorithm": {"kind": "async-fedavg"}}).problems
    assert [problem.path for problem in found] == ["algorithm.kind"]
    assert "weighs each update by its age, and a secure sum hides which" in found[0].message


SECURE: dict[str, Any] = {"privacy": {"secure_aggregation": True}}


@pytest.mark.parametrize(
    ("sections", "path"),
    [
        ({"aggregation": {"kind": "median"}}, "aggregation.kind"),
        ({"compression": {"uplink": [{"kind": "topk", "ratio": 0.1}]}}, "compression.uplink"),
        ({"algorithm": {"kind": "scaffold"}}, "algorithm.kind"),
        ({"algorithm": {"kind": "async-fedavg"}}, "algorithm.kind"),
        ({"sampling": {"kind": "random", "count": 2}}, "privacy.secure_aggregation"),
        ({"sampling": {"kind": "oort", "count": 3}}, "sampling.kind"),
        ({"model": {"kind": "resnet"}}, "model.kind"),
    ],
)
def test_what_cannot_be_added_up_in_secret_is_refused_with_its_field(
    sections: dict[str, Any], path: str
) -> None:
    assert problems(**SECURE) == set()
    found = [p for p in check({**SPEC, **SECURE, **sections}).problems if p.path.startswith(path)]
    assert found, [p.path for p in check({**SPEC, **SECURE, **sections}).problems]
    assert all(problem.fix for problem in found)

"""FedVARP and FedStale: their contract, reductions and the checks of their cards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from fedcore.algorithms.participation import CUT, Intervals
from fedcore.algorithms.remembering import FRESH_EVERY
from fedcore.engine.context import build_context
from fedcore.engine.memory import needed_bytes
from fedcore.environment import Folders
from fedcore.params import vector
from fedcore.spec import RunSpec, check, estimate
from tests.fedcore.contract import MethodContract
from tests.fedcore.quadratic import Bed
from tests.fedcore.runs import play_rounds, small_spec


class TestFedVarp(MethodContract):
    algorithm = {"kind": "fedvarp"}


class TestFedStale(MethodContract):
    algorithm = {"kind": "fedstale", "beta": 0.3}


class TestFedStaleWithEstimatedChances(MethodContract):
    algorithm = {"kind": "fedstale", "participation": "estimated"}


def test_the_server_remembers_those_it_has_seen_and_nobody_else(folders: Folders) -> None:
    context = build_context(small_spec(algorithm={"kind": "fedvarp"}), folders)
    state, reports = play_rounds(context, 2)
    assert set(state.records) == {c.client_id for report in reports for c in report.clients}
    assert not state.clients


def test_remembering_is_in_the_estimate_and_in_the_memory_check(folders: Folders) -> None:
    plain, remembering = (
        RunSpec.parse({"algorithm": {"kind": kind}}) for kind in ("fedavg", "fedvarp")
    )
    more = (estimate(remembering).memory_bytes or 0) - (estimate(plain).memory_bytes or 0)
    model = 4 * (estimate(plain).model_parameters or 0)
    assert more == model * (20 + 10)  # one per client, and a cohort's updates
    layout = build_context(small_spec(), folders).layout
    needed = needed_bytes(layout, remembering) - needed_bytes(layout, plain)
    assert needed == 4 * layout.total * 30


def close(first: Bed, second: Bed) -> bool:
    return torch.allclose(first.state.model.flat, second.state.model.flat, rtol=1e-12, atol=1e-13)


def played(algorithm: dict[str, object], cohorts: list[list[int]], **settings: Any) -> Bed:
    bed = Bed.of(algorithm, steps=3, lr=0.1, **settings)
    for cohort in cohorts:
        bed.play(cohort)
    return bed


SOME = [[0, 3, 7], [1, 3, 9], [2, 3, 4], [0, 1, 2], [7, 8, 9]]
EVERYBODY = [list(range(10))] * 4


def test_with_everybody_all_of_them_are_fedavg() -> None:
    plain = played({"kind": "fedavg"}, EVERYBODY)
    assert close(plain, played({"kind": "fedvarp"}, EVERYBODY))
    for beta in (0.0, 0.5, 1.0):
        assert close(plain, played({"kind": "fedstale", "beta": beta}, EVERYBODY))


def test_fedstale_with_beta_1_is_fedvarp() -> None:
    stale = Bed.of({"kind": "fedstale", "beta": 1.0}, steps=3, lr=0.1, chance=0.3)
    for cohort in SOME:
        stale.play(cohort)
    assert close(stale, played({"kind": "fedvarp"}, SOME))


def test_fedstale_with_beta_0_weighs_by_inverse_chances_alone() -> None:
    stale = played({"kind": "fedstale", "beta": 0.0}, SOME[:1], chance=0.3)
    plain = played({"kind": "fedavg"}, SOME[:1])  # uniform 1/3 is 1/10 / 0.3
    assert close(stale, plain)


def test_fedvarp_by_hand() -> None:
    bed = played({"kind": "fedvarp"}, [[2]])
    first = bed.state.model.flat.clone()  # v = 0 + (delta - 0)
    before = bed.state
    bed.play([2, 5])
    deltas = {c: vector(bed.state.records[c].sections, "delta").flat for c in (2, 5)}
    old = vector(before.records[2].sections, "delta").flat
    v = old / 10 + ((deltas[2] - old) + deltas[5]) / 2
    torch.testing.assert_close(bed.state.model.flat, first + v)


def test_an_empty_round_walks_on_along_what_is_remembered() -> None:
    for kind, factor in (("fedvarp", 1.0), ("fedstale", 0.5)):
        bed = played({"kind": kind}, [[1, 2]])
        model = bed.state.model.flat
        recalled = vector(bed.state.tensors, "recalled").flat
        bed.play([])
        torch.testing.assert_close(bed.state.model.flat, model + factor * recalled)


def test_the_mean_of_what_is_remembered_stays_right() -> None:
    bed = Bed.of({"kind": "fedvarp"}, steps=1, lr=0.1)
    bed.run(FRESH_EVERY + 5, cohort_size=2)
    remembered = [vector(record.sections, "delta").flat for record in bed.state.records.values()]
    mean = torch.stack(remembered).sum(0) / 10
    torch.testing.assert_close(vector(bed.state.tensors, "recalled").flat, mean)


@pytest.fixture(scope="module")
def unequal() -> Mapping[str, tuple[float, float]]:
    """Error and variance with clients of which half are seldom there."""
    methods: dict[str, dict[str, object]] = {
        "fedavg": {"kind": "fedavg"},
        "0": {"kind": "fedstale", "beta": 0.0, "participation": "estimated"},
        "1": {"kind": "fedstale", "beta": 1.0, "participation": "estimated"},
    }
    return {name: _unequal(algorithm) for name, algorithm in methods.items()}


def _unequal(algorithm: dict[str, object]) -> tuple[float, float]:
    bed = Bed.of(algorithm, steps=2, lr=0.05)
    chances = torch.tensor([0.9] * 5 + [0.15] * 5)
    generator = torch.Generator().manual_seed(5)
    places: list[Tensor] = []
    for index in range(300):
        cohort = torch.nonzero(torch.rand(10, generator=generator) < chances).flatten().tolist()
        if cohort:
            bed.play(cohort)
        if index >= 150:
            places.append(bed.state.model.flat)
    course, optimum = torch.stack(places), bed.problem.optimum
    error = (course.mean(0) - optimum).norm() / optimum.norm()
    return float(error), float(course.var(0).sum())


def test_what_is_remembered_removes_bias_and_noise(
    unequal: Mapping[str, tuple[float, float]],
) -> None:
    assert unequal["1"][0] < unequal["0"][0] < 0.35 * unequal["fedavg"][0]
    assert unequal["1"][1] < 1e-6 < unequal["0"][1]


def test_intervals_find_a_client_that_comes_every_third_round() -> None:
    intervals = Intervals.of(None, 2)
    for index in range(30):
        intervals = intervals.after([0] if index % 3 == 2 else [])
    assert intervals.means[0] == 3.0
    assert Intervals.of(intervals.to_json(), 2) == intervals


def test_a_client_that_stays_away_counts_as_if_it_had_come_at_last() -> None:
    intervals = Intervals.of(None, 1)
    for _ in range(CUT):
        intervals = intervals.after([])
    assert (intervals.means, intervals.counts, intervals.open) == ((50.0,), (1,), (0,))


def test_what_does_not_fit_is_refused_by_path() -> None:
    def paths(**sections: Any) -> set[str]:
        return {problem.path for problem in check(sections).problems}

    varp = {"kind": "fedvarp"}
    assert paths(algorithm=varp, aggregation={"kind": "median"}) == {"aggregation.kind"}
    oort = {"kind": "oort"}
    assert paths(algorithm={"kind": "fedstale"}, sampling=oort) == {"algorithm.participation"}
    estimated = {"kind": "fedstale", "participation": "estimated"}
    assert paths(algorithm=estimated, sampling=oort) == set()

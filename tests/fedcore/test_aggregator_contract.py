"""What every aggregator promises, whatever its rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch

from fedcore.aggregators import AGGREGATORS, Accumulator, Aggregator, merge_in_tree
from fedcore.errors import AggregationError, TooFewUpdatesError
from fedcore.messages import Update
from fedcore.params import Params, Section
from fedcore.spec.aggregators import AggregationSpec

KINDS: list[dict[str, Any]] = [
    {"kind": "mean"},
    {"kind": "median"},
    {"kind": "trimmed_mean"},
    {"kind": "krum"},
    {"kind": "multi_krum"},
    {"kind": "geometric_median"},
    {"kind": "bulyan"},
    {"kind": "norm_clip"},
    {"kind": "norm_clip", "max_norm": 2.0},
    {"kind": "centered_clipping"},
    {"kind": "centered_clipping", "radius": 2.0},
    {"kind": "centered_clipping", "radius": 2.0, "iterations": 3},
]
every_kind = pytest.mark.parametrize(
    "settings", KINDS, ids=lambda s: "-".join(str(value) for value in s.values())
)
CLIENTS = 11


def aggregator(settings: dict[str, Any]) -> Aggregator:
    spec = AggregationSpec.kinds()[settings["kind"]].model_validate(settings)
    return AGGREGATORS.of(spec)(spec)


def update(client_id: int, vector: torch.Tensor, weight: float = 1.0) -> Update:
    section = Params.of({"w": vector[:6].view(2, 3), "b": vector[6:]})
    return Update(sections={"delta": section}, base_version=0, client_id=client_id, weight=weight)


def cohort(count: int = CLIENTS) -> list[Update]:
    generator = torch.Generator().manual_seed(9)
    return [
        update(client, torch.randn(10, generator=generator), weight=1.0 + client)
        for client in range(count)
    ]


def combine(
    rule: Aggregator, updates: list[Update], previous: Mapping[str, Section] | None = None
) -> torch.Tensor:
    accumulator = rule.start(previous or {})
    for one in updates:
        accumulator = rule.fold(accumulator, one)
    assert accumulator.count == len(updates)
    (section,) = rule.finish(accumulator).values()
    assert isinstance(section, Params)
    return section.flat


def test_every_kind_is_tested_here() -> None:
    assert {settings["kind"] for settings in KINDS} == set(AggregationSpec.kinds())


@every_kind
def test_the_order_of_clients_does_not_matter(settings: dict[str, Any]) -> None:
    rule, updates = aggregator(settings), cohort()
    shuffled = [updates[index] for index in (5, 0, 10, 3, 7, 1, 9, 2, 8, 6, 4)]
    first, second = combine(rule, updates), combine(rule, shuffled)
    if rule.start({}).__class__.__name__ == "GatheredUpdates":
        assert torch.equal(first, second)
    torch.testing.assert_close(first, second, rtol=1e-5, atol=1e-6)


@every_kind
def test_merging_partial_results_is_folding_them_all(settings: dict[str, Any]) -> None:
    rule, updates = aggregator(settings), cohort()
    parts = [rule.start({}) for _ in range(3)]
    for index, one in enumerate(updates):
        parts[index % 3] = rule.fold(parts[index % 3], one)
    whole = rule.merge(rule.merge(parts[0], parts[1]), rule.merge(parts[2], rule.start({})))
    assert whole.count == CLIENTS
    (section,) = rule.finish(whole).values()
    assert isinstance(section, Params)
    torch.testing.assert_close(section.flat, combine(rule, cohort()), rtol=1e-5, atol=1e-6)


@every_kind
def test_merging_all_parts_gives_the_bits_of_merging_them_in_a_tree(
    settings: dict[str, Any],
) -> None:
    rule = aggregator(settings)

    def parts() -> list[Accumulator]:
        return [rule.fold(rule.start({}), one) for one in cohort()]

    in_tree, at_once = merge_in_tree(parts(), rule.merge), rule.merge_all(parts())
    assert (in_tree.weight, in_tree.count) == (at_once.weight, at_once.count)
    ((first,), (second,)) = (rule.finish(one).values() for one in (in_tree, at_once))
    assert isinstance(first, Params)
    assert isinstance(second, Params)
    assert torch.equal(first.flat, second.flat)


@every_kind
def test_updates_are_left_as_they_were(settings: dict[str, Any]) -> None:
    updates, untouched = cohort(), cohort()
    combine(aggregator(settings), updates)
    for one, other in zip(updates, untouched, strict=True):
        section, same = one.sections["delta"], other.sections["delta"]
        assert all(torch.equal(section[name], same[name]) for name in section)


@every_kind
def test_names_and_shapes_are_those_of_the_updates(settings: dict[str, Any]) -> None:
    rule = aggregator(settings)
    accumulator = rule.start({})
    for one in cohort():
        accumulator = rule.fold(accumulator, one)
    combined = rule.finish(accumulator)
    assert {name: tuple(tensor.shape) for name, tensor in combined["delta"].items()} == {
        "w": (2, 3),
        "b": (4,),
    }


@pytest.mark.parametrize("kind", sorted(set(AggregationSpec.kinds()) - {"mean"}))
def test_a_claimed_number_of_examples_has_no_influence(kind: str) -> None:
    rule, updates = aggregator({"kind": kind}), cohort()
    liar = update(3, updates[3].sections["delta"].flat.clone(), weight=1e9)  # type: ignore[attr-defined]
    assert torch.equal(combine(rule, updates), combine(rule, [*updates[:3], liar, *updates[4:]]))


@pytest.mark.parametrize(
    ("kind", "count", "needed"),
    [("krum", 6, 7), ("multi_krum", 6, 7), ("bulyan", 6, 7), ("trimmed_mean", 2, 3)],
)
def test_a_cohort_that_is_too_small_is_refused(kind: str, count: int, needed: int) -> None:
    with pytest.raises(TooFewUpdatesError, match=f"needs {needed} updates and got {count}"):
        combine(aggregator({"kind": kind}), cohort(count))


def test_a_section_that_is_no_vector_is_refused() -> None:
    rule = aggregator({"kind": "median"})
    odd = Update(sections={"counts": {"n": torch.ones(1)}}, base_version=0, client_id=0, weight=1)
    with pytest.raises(AggregationError, match="counts") as caught:
        rule.finish(rule.fold(rule.start({}), odd))
    assert caught.value.field == "aggregation.kind"


POINTS = [(1, 2), (1.1, 2.1), (0.9, 1.9), (1, 2.1), (1.2, 2), (0.8, 2), (100, -100)]


def known() -> list[Update]:
    return [
        Update(
            sections={"delta": Params.of({"x": torch.tensor(point, dtype=torch.float32)})},
            base_version=0,
            client_id=client,
            weight=1.0,
        )
        for client, point in enumerate(POINTS)
    ]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"kind": "norm_clip", "max_norm": 3.0}, (1.1602, 1.4255)),
        ({"kind": "norm_clip", "max_norm": 1e9}, (15.1429, -12.5571)),
        ({"kind": "centered_clipping", "radius": 1.0}, (0.4803, 0.6665)),
        ({"kind": "centered_clipping", "radius": 1.0, "iterations": 5}, (1.1154, 1.8955)),
        ({"kind": "centered_clipping", "radius": 1e9}, (15.1429, -12.5571)),
        ({"kind": "median"}, (1.0, 2.0)),
        ({"kind": "trimmed_mean", "byzantine_count": 1}, (1.04, 2.0)),
        ({"kind": "krum", "byzantine_count": 1}, (1.0, 2.0)),
        ({"kind": "multi_krum", "byzantine_count": 1}, (1.0, 2.025)),
        ({"kind": "geometric_median", "iterations": 3}, (1.0911, 1.9364)),
    ],
)
def test_known_answers(settings: dict[str, Any], expected: tuple[float, float]) -> None:
    result = combine(aggregator(settings), known()).tolist()
    assert result == pytest.approx(expected, abs=6e-5)


@pytest.mark.parametrize("iterations", [1, 2])
def test_centred_clipping_starts_where_the_last_round_ended(iterations: int) -> None:
    settings = {"kind": "centered_clipping", "radius": 1.0}
    rule = aggregator({**settings, "iterations": iterations})
    assert rule.remembers
    first = combine(rule, known())
    again = combine(rule, known(), {"delta": Params.of({"x": first})})
    five = aggregator({**settings, "iterations": 2 * iterations})
    torch.testing.assert_close(again, combine(five, known()), rtol=1e-5, atol=1e-6)


def test_without_a_length_the_median_one_is_taken() -> None:
    rule = aggregator({"kind": "norm_clip"})
    norms = sorted((a * a + b * b) ** 0.5 for a, b in POINTS)
    fixed = aggregator({"kind": "norm_clip", "max_norm": norms[3]})
    torch.testing.assert_close(combine(rule, known()), combine(fixed, known()))
    centred = aggregator({"kind": "centered_clipping"})
    assert float((combine(centred, known()) - torch.tensor([0.9, 1.4])).abs().max()) < 0.3


@every_kind
def test_the_spec_says_who_holds_all_updates(settings: dict[str, Any]) -> None:
    spec = AggregationSpec.kinds()[settings["kind"]].model_validate(settings)
    rule = AGGREGATORS.of(spec)(spec)
    accumulator = rule.start({})
    for one in cohort():
        accumulator = rule.fold(accumulator, one)
    assert spec.needs_individual_updates == (not accumulator.sections)

"""A spec is drafted from declarations: scales of all rows together, and nothing in silence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fedcore.sites.drafting import Draft, draft
from fedcore.sites.messages import Column, DatasetDeclaration
from fedcore.spec import RunSpec


def site(num_train: int, *columns: Column) -> DatasetDeclaration:
    return DatasetDeclaration(name="heart", num_train=num_train, num_test=5, columns=columns)


def number(name: str, mean: float | None = None, std: float | None = None) -> Column:
    return Column(name=name, kind="number", mean=mean, std=std)


def category(name: str, *values: str, has_missing: bool = False) -> Column:
    return Column(name=name, kind="category", values=values, has_missing=has_missing)


DISEASE = category("disease", "no", "yes")


def inputs_of(made: Draft) -> dict[str, Any]:
    return {each["column"]: each for each in made.sections["dataset"]["inputs"]}


def test_scales_are_those_of_all_rows_together() -> None:
    random = np.random.default_rng(0)
    parts = [random.normal(50, 9, 40), random.normal(60, 4, 10), random.normal(45, 12, 25)]
    declared = {
        f"s{n}": site(len(part), number("age", part.mean(), part.std()), DISEASE)
        for n, part in enumerate(parts)
    }
    age = inputs_of(draft("heart", "disease", declared))["age"]
    whole = np.concatenate(parts)
    assert age["mean"] == pytest.approx(whole.mean())
    assert age["std"] == pytest.approx(whole.std())


def test_a_site_that_shares_no_scale_uses_that_of_the_others() -> None:
    declared = {"a": site(10, number("age", 50, 9), DISEASE), "b": site(99, number("age"), DISEASE)}
    age = inputs_of(draft("heart", "disease", declared))["age"]
    assert (age["mean"], age["std"]) == (50, 9)


def test_categories_are_the_union_in_their_own_order() -> None:
    declared = {
        "a": site(9, category("pain", "10", "2"), DISEASE),
        "b": site(9, category("pain", "1", "2", has_missing=True), DISEASE),
    }
    pain = inputs_of(draft("heart", "disease", declared))["pain"]
    assert pain == {"column": "pain", "values": ["1", "2", "10"], "has_missing": True}


def test_what_cannot_be_agreed_on_is_left_out_and_said() -> None:
    declared = {
        "north": site(
            9,
            number("age", 1, 1),
            number("weight"),
            category("sex"),
            number("pain", 1, 1),
            Column(name="notes", kind="text"),
            number("only", 1, 1),
            DISEASE,
        ),
        "south": site(
            9,
            number("age", 1, 1),
            number("weight"),
            category("sex"),
            category("pain", "1"),
            Column(name="notes", kind="text"),
            DISEASE,
        ),
    }
    made = draft("heart", "disease", declared)
    assert list(inputs_of(made)) == ["age"]
    assert {each.column: each.why for each in made.left_out} == {
        "weight": "No site shares its scale.",
        "sex": "No site shares its categories.",
        "pain": "The sites disagree what it is: category, number.",
        "notes": "It is text.",
        "only": "south does not have it.",
    }


def test_a_draft_is_a_valid_spec() -> None:
    declared = {
        "north": site(9, number("age", 54, 0), DISEASE),
        "south": site(9, number("age", 54, 0), category("disease", "maybe", "no")),
    }
    made = draft("heart", "disease", declared)
    assert made.sections["dataset"]["target"]["classes"] == ["maybe", "no", "yes"]
    assert inputs_of(made)["age"]["std"] == 1.0
    runtime = made.sections["runtime"] | {"round_limit_s": 60}
    spec = RunSpec.parse(made.sections | {"runtime": runtime})
    assert spec.runtime.sites == ("north", "south")


def test_targets_are_columns_whose_classes_are_known_everywhere() -> None:
    declared = {
        "a": site(9, DISEASE, category("sex", "0", "1"), number("age", 1, 1), category("x", "1")),
        "b": site(9, DISEASE, category("sex")),
    }
    assert draft("heart", None, declared).targets == ("disease", "sex")


@pytest.mark.parametrize(
    ("target", "says"),
    [("age", "'age' cannot be predicted"), ("none", "'none' cannot"), ("disease", "No column")],
)
def test_what_is_impossible_is_said(target: str, says: str) -> None:
    made = draft("heart", target, {"a": site(9, number("age"), DISEASE)})
    assert made.sections == {}
    assert says in made.problem

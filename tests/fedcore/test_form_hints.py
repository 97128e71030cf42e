"""What the schema says to forms about settings that depend on each other is true of the specs."""

from __future__ import annotations

from typing import Any

import pytest

from fedcore.spec import RunSpec

_DEFINITIONS: dict[str, dict[str, Any]] = RunSpec.json_schema()["$defs"]


def _hinted(hint: str) -> list[tuple[str, str, Any]]:
    return [
        (definition, name, field[hint])
        for definition, schema in _DEFINITIONS.items()
        for name, field in schema.get("properties", {}).items()
        if hint in field
    ]


@pytest.mark.parametrize(("definition", "name", "other"), _hinted("x-instead-of"))
def test_a_setting_instead_of_another_empties_it(definition: str, name: str, other: str) -> None:
    own, replaced = (_DEFINITIONS[definition]["properties"][key] for key in (name, other))
    assert own["default"] is None
    assert replaced["default"] is not None
    assert {"type": "null"} in replaced["anyOf"]


def test_every_setting_that_the_server_empties_is_named_to_forms() -> None:
    spec = RunSpec.model_validate(
        {
            "local": {"steps": 10},
            "sampling": {"kind": "random", "count": 5},
            "aggregation": {"kind": "krum", "byzantine_count": 1},
            "attack": {"kind": "sign_flip", "count": 1},
            "privacy": {"dp": {"level": "example", "noise_multiplier": 1.0}},
        }
    ).model_dump(mode="json")
    assert spec["local"]["epochs"] is None
    assert spec["sampling"]["fraction"] is None
    assert spec["aggregation"]["byzantine_fraction"] is None
    assert spec["attack"]["fraction"] is None
    assert spec["privacy"]["dp"]["epsilon"] is None
    assert {(name, other) for _, name, other in _hinted("x-instead-of")} == {
        ("steps", "epochs"),
        ("count", "fraction"),
        ("byzantine_count", "byzantine_fraction"),
        ("noise_multiplier", "epsilon"),
    }


@pytest.mark.parametrize(("definition", "name", "condition"), _hinted("x-only-with"))
def test_a_condition_names_a_setting_beside_it_and_values_that_it_can_have(
    definition: str, name: str, condition: dict[str, Any]
) -> None:
    assert condition["name"] != name
    other = _DEFINITIONS[definition]["properties"][condition["name"]]
    assert set(condition["values"]) <= set(other["enum"])


@pytest.mark.parametrize(("definition", "name", "slider"), _hinted("x-slider"))
def test_a_slider_stays_within_the_limits(
    definition: str, name: str, slider: dict[str, Any]
) -> None:
    field = _DEFINITIONS[definition]["properties"][name]
    limits = next(
        (kind for kind in field.get("anyOf", [field]) if kind.get("type") != "null"), field
    )
    assert limits.get("exclusiveMinimum", limits.get("minimum", 0) - 1) < slider["low"]
    assert slider["low"] < slider["high"] <= limits["maximum"]

"""The spec: defaults, strictness, every problem at once by path, formats, digest."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from fedcore.spec import RunSpec, SpecError, catalogue, check, estimate
from fedcore.spec.catalogue import PRIVACY, CatalogueEntry
from fedcore.spec.privacy import PROMISES


def problems(data: Any) -> dict[str, str]:
    return {problem.path: problem.code for problem in check(data).problems}


def test_the_empty_document_is_a_valid_spec() -> None:
    result = check({})
    assert result.spec == RunSpec()
    assert result.problems == ()


def test_a_spec_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        RunSpec().rounds = 3  # type: ignore[misc]


def test_every_problem_is_reported_at_once_with_the_users_own_path() -> None:
    found = problems(
        {
            "rounds": 0,
            "algoritm": {},
            "algorithm": {"kind": "fedavg", "server_lr": -1},
            "model": {"kind": "mlp", "hidden": [200, 0]},
            "partition": {"kind": "iid", "clients": 5000},
        }
    )
    assert found == {
        "rounds": "greater_than_equal",
        "algoritm": "unknown_key",
        "algorithm.server_lr": "greater_than",
        "model.hidden.1": "greater_than_equal",
        "partition.clients": "too_many",
    }


def test_rules_between_sound_sections_are_checked_beside_broken_sections() -> None:
    data = {"seed": "x", "local": {"optimizer": "adam", "momentum": 0.9}}
    assert problems(data) == {"seed": "int_parsing", "local.momentum": "contradiction"}


@pytest.mark.parametrize(
    ("data", "path", "code"),
    [
        ({"algorithm": {"kind": "fedagv"}}, "algorithm.kind", "unknown_kind"),
        ({"algorithm": {}}, "algorithm", "missing_kind"),
        ({"algorithm": {"kind": ["x"]}}, "algorithm.kind", "unknown_kind"),
        ({"dataset": 5}, "dataset", "model_attributes_type"),
        ({"local": {"lr": float("nan")}}, "local.lr", "finite_number"),
        ({"local": {"lr": float("inf")}}, "local.lr", "finite_number"),
        ({"local": {"epochs": None}}, "local.epochs", "missing"),
        ({"local": {"epochs": 1, "steps": 5}}, "local.steps", "contradiction"),
        ({"seed": 10**400}, "seed", "less_than_equal"),
        ({"seed": -1}, "seed", "greater_than_equal"),
        ({"spec_version": 2}, "spec_version", "literal_error"),
        ({1: 2}, "1", "invalid_key"),
        ([], "", "not_a_mapping"),
        (None, "", "not_a_mapping"),
        ({"sampling": {"kind": "random", "count": 21}}, "sampling.count", "too_many"),
        (
            {"sampling": {"kind": "random", "count": 2, "fraction": 0.1}},
            "sampling.count",
            "contradiction",
        ),
        ({"runtime": {"min_updates": 11}}, "runtime.min_updates", "too_many"),
        (
            {"evaluation": {"target": {"metric": "accuracy", "value": 95}}},
            "evaluation.target.value",
            "out_of_range",
        ),
        (
            {"dataset": {"kind": "synthetic"}, "model": {"kind": "cnn"}},
            "model.kind",
            "needs_image",
        ),
        ({"model": {"kind": "cnn", "channels": [8, 8, 8, 8]}}, "model.channels", "too_many"),
        (
            {"partition": {"kind": "dirichlet", "clients": 200, "min_size": 10}},
            "partition.min_size",
            "too_many",
        ),
    ],
)
def test_bad_input_names_the_field(data: Any, path: str, code: str) -> None:
    result = check(data)
    assert result.spec is None
    assert (path, code) in {(problem.path, problem.code) for problem in result.problems}
    assert all(problem.message.endswith(".") for problem in result.problems)


def test_a_misspelt_key_or_kind_gets_a_suggestion() -> None:
    (problem,) = check({"local": {"epoch": 2}}).problems
    assert (problem.path, problem.fix) == ("local.epoch", "Did you mean epochs?")
    (problem,) = check({"algorithm": {"kind": "fedagv"}}).problems
    assert problem.fix == "Did you mean fedavg?"


def test_steps_alone_replace_the_default_epochs() -> None:
    spec = RunSpec.parse({"local": {"steps": 7}})
    assert (spec.local.steps, spec.local.epochs) == (7, None)
    assert RunSpec.parse(spec.model_dump(mode="json")) == spec


@pytest.mark.parametrize(
    ("fraction", "clients", "cohort"), [(0.7, 3, 2), (0.875, 10, 9), (0.01, 20, 1), (1.0, 7, 7)]
)
def test_a_fraction_is_rounded_to_the_nearest_number_of_clients(
    fraction: float, clients: int, cohort: int
) -> None:
    spec = RunSpec.parse(
        {
            "sampling": {"kind": "random", "fraction": fraction},
            "partition": {"kind": "iid", "clients": clients},
        }
    )
    assert spec.sampling.cohort_size(clients) == cohort


def test_yaml_round_trip_and_scientific_numbers() -> None:
    spec = RunSpec.from_yaml("seed: 3\nlocal: {lr: 1e-3}\nmodel: {kind: mlp, hidden: [10]}\n")
    assert spec.local.lr == 0.001
    assert RunSpec.from_yaml(spec.to_yaml()) == spec
    assert RunSpec.from_yaml("") == RunSpec()


@pytest.mark.parametrize(
    "text",
    [
        "a: [",
        "seed: 1\nseed: 2",
        "a: &x [1]\nb: *x",
        "[" * 100_000,
        "!!python/object/apply:os.system ['true']",
        "--- 1\n--- 2",
        "x: " + "y" * 1_000_001,
        "seed: \x00",
    ],
)
def test_hostile_yaml_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(SpecError) as caught:
        RunSpec.from_yaml(text)
    assert caught.value.problems[0].path == ""


def test_the_digest_depends_on_meaning_and_not_on_spelling() -> None:
    plain = RunSpec.parse({"algorithm": {"kind": "fedavg", "server_lr": 1}})
    assert plain.digest() == RunSpec().digest()
    assert RunSpec.parse({"seed": 1}).digest() != RunSpec().digest()


def test_a_spec_error_lists_all_problems_in_its_text() -> None:
    with pytest.raises(SpecError) as caught:
        RunSpec.parse({"rounds": 0, "seed": -1})
    assert "2 problems" in str(caught.value)
    assert "rounds:" in str(caught.value)
    assert "seed:" in str(caught.value)


def test_the_catalogue_explains_every_kind() -> None:
    entries = catalogue()
    assert {("algorithm", "fedavg"), ("dataset", "digits")} <= {
        (e.section, e.kind) for e in entries
    }
    for entry in entries:
        assert entry.title, entry.kind
        assert entry.summary.endswith("."), entry.kind
        if entry.section != PRIVACY:
            assert entry.schema["properties"]["kind"]["const"] == entry.kind


@pytest.mark.parametrize("entry", catalogue(), ids=lambda entry: f"{entry.section}.{entry.kind}")
def test_every_kind_has_an_example_that_can_be_run(entry: CatalogueEntry) -> None:
    result = check(entry.example)
    assert result.problems == (), "name what it needs in `example` of its spec class"
    assert result.spec is not None
    section: Any = result.spec
    if entry.section == PRIVACY:
        (promise,) = [each for each in PROMISES if each.kind == entry.kind]
        for name in promise.path.split("."):
            section = getattr(section, name)
        assert section == promise.value
        return
    for name in entry.section.split("."):
        section = getattr(section, name)
    chosen = section.uplink[0] if entry.section == "compression" else section
    assert chosen.kind == entry.kind


def test_the_schema_describes_every_setting() -> None:
    schema = RunSpec.json_schema()
    json.dumps(schema, allow_nan=False)
    for name, model in schema["$defs"].items():
        for key, field in model["properties"].items():
            assert key == "kind" or field.get("description"), f"{name}.{key}"


def test_the_estimate_counts_the_bytes_of_the_default_run() -> None:
    cost = estimate(RunSpec())
    parameters = 65 * 200 + 201 * 200 + 201 * 10
    assert cost.model_parameters == parameters
    assert cost.bytes_up_per_round == 10 * 4 * parameters
    assert cost.bytes_total == 2 * 20 * 10 * 4 * parameters


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
SECTIONS = st.sampled_from([*RunSpec.model_fields, "other"])


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(SECTIONS, ANYTHING, max_size=4))
def test_no_document_makes_the_check_raise(data: dict[str, Any]) -> None:
    result = check(data)
    assert (result.spec is None) == bool(result.problems)


SYMBOLS = {"Mu", "Rho", "Lamb", "Tau", "Alpha", "Beta", "Beta1", "Beta2", "Tick", "Epsilon"}


def test_no_setting_of_a_method_is_a_bare_symbol_or_left_unexplained() -> None:
    settings = [
        (entry.kind, name, schema)
        for entry in catalogue()
        if entry.section == "algorithm"
        for name, schema in entry.schema["properties"].items()
        if name != "kind"
    ]
    assert settings
    for kind, name, schema in settings:
        assert schema["title"] not in SYMBOLS, f"{kind}: {name}"
        assert schema["description"].endswith("."), f"{kind}: {name}"

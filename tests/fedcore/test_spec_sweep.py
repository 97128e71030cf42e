"""Sweeps: which runs they stand for, and every problem at the setting that it comes from."""

from __future__ import annotations

from typing import Any

import pytest

from fedcore.spec import RunSpec, SweepSpec, check_sweep
from fedcore.spec.paths import with_values
from fedcore.spec.sweep import PruningSpec


def sweep(**settings: Any) -> SweepSpec:
    found = check_sweep(settings)
    assert found.sweep is not None, found.problems
    return found.sweep


def problem_paths(**settings: Any) -> list[str]:
    found = check_sweep(settings)
    assert found.sweep is None
    assert all(problem.message for problem in found.problems)
    return [problem.path for problem in found.problems]


def test_a_grid_runs_every_combination_over_every_seed() -> None:
    axes = {"local.lr": [0.1, 0.2], "rounds": [1, 2, 3]}
    grid = sweep(base={"seed": 7}, axes=axes, seeds=2)
    points = [grid.values_at(index) for index in range(grid.num_points)]
    assert (grid.num_points, grid.num_runs) == (6, 12)
    assert points[0] == {"local.lr": 0.1, "rounds": 1}
    assert points[1] == {"local.lr": 0.1, "rounds": 2}
    assert points[5] == {"local.lr": 0.2, "rounds": 3}
    assert len({str(point) for point in points}) == 6
    assert [grid.document(points[0], seed)["seed"] for seed in range(2)] == [7, 8]


def test_a_sweep_of_seeds_alone_repeats_its_base() -> None:
    repeated = sweep(base={"rounds": 2}, seeds=3)
    assert repeated.num_runs == 3
    assert repeated.document(repeated.values_at(0), 2) == {"rounds": 2, "seed": 2}


def test_a_kind_that_changes_keeps_the_settings_that_the_new_kind_has() -> None:
    base = {"algorithm": {"kind": "fedprox", "mu": 0.5, "server_lr": 0.9}}
    changed = with_values(base, {"algorithm.kind": "fedavg"})
    assert changed == {"algorithm": {"kind": "fedavg", "server_lr": 0.9}}
    assert base["algorithm"]["kind"] == "fedprox"


def test_kinds_are_set_before_the_settings_inside_them() -> None:
    values = {"algorithm.mu": 0.5, "algorithm.kind": "fedprox"}
    assert with_values({}, values)["algorithm"] == {"kind": "fedprox", "mu": 0.5}


def test_a_section_that_is_left_out_starts_as_its_default() -> None:
    document = with_values({}, {"model.hidden": [8], "local.steps": 5})
    spec = RunSpec.parse(document)
    assert spec.model.kind == RunSpec().model.kind
    assert (spec.local.steps, spec.local.epochs) == (5, None)


def test_entries_of_a_list_have_their_number_as_name() -> None:
    base = {"compression": {"uplink": [{"kind": "quantize", "bits": 8}]}}
    changed = with_values(base, {"compression.uplink.0.bits": 4})
    assert changed["compression"]["uplink"] == [{"kind": "quantize", "bits": 4}]


def test_a_problem_of_a_point_is_reported_at_its_axis_with_the_value() -> None:
    found = check_sweep({"axes": {"local.lr": [0.1, -1], "rounds": [1, 0]}})
    assert [(p.path, p.message) for p in found.problems] == [
        ("axes.rounds", "0: Must be greater than or equal to 1."),
        ("axes.local.lr", "-1: Must be greater than 0."),
    ]


@pytest.mark.parametrize(
    ("settings", "paths"),
    [
        ({"base": {"rounds": 0}, "axes": {"local.lr": []}}, ["base.rounds", "axes.local.lr"]),
        ({"base": []}, ["base"]),
        ({"bas": {}}, ["bas"]),
        ({"axes": {"nope": [1]}}, ["axes.nope"]),
        ({"axes": {"rounds.x": [1]}}, ["axes.rounds.x"]),
        ({"axes": {"algorithm.mu": [0.1]}}, ["axes.algorithm.mu"]),
        ({"axes": {"compression.uplink.0.bits": [8]}}, ["axes.compression.uplink.0.bits"]),
        ({"axes": {"seed": [1, 2]}, "seeds": 2}, ["seeds"]),
        ({"axes": {"rounds": list(range(1, 1002))}}, [""]),
        ({"base": {"seed": 2**53 - 1}, "seeds": 2}, ["seeds"]),
        ({"metric": "mse"}, ["metric"]),
        ({"search": {"parameters": {}}}, ["search.parameters"]),
        (
            {"search": {"parameters": {"local.lr": {"kind": "float", "low": 1, "high": 0.1}}}},
            ["search.parameters.local.lr.low"],
        ),
        (
            {"search": {"parameters": {"local.lr": {"kind": "float", "low": 0.1, "high": 1e9}}}},
            ["search.parameters.local.lr"],
        ),
        (
            {
                "axes": {"rounds": [1]},
                "seeds": 2,
                "search": {
                    "parameters": {"rounds": {"kind": "int", "low": 1, "high": 2}},
                    "prune": {},
                },
            },
            ["axes", "search.prune"],
        ),
    ],
)
def test_a_wrong_sweep_names_every_setting_that_has_to_change(
    settings: dict[str, Any], paths: list[str]
) -> None:
    assert problem_paths(**settings) == paths


def test_what_is_no_mapping_is_refused_in_words() -> None:
    wrong: tuple[Any, ...] = (None, [], 3, "x")
    for data in wrong:
        assert check_sweep(data).problems[0].code == "not_a_mapping"


def test_the_objective_is_the_main_metric_of_the_data() -> None:
    assert sweep().objective.name == "accuracy"
    assert sweep(metric="loss").objective.higher_is_better is False


def test_rungs_grow_by_eta() -> None:
    pruning = PruningSpec(eta=3, min_rounds=2)
    rungs = [pruning.next_rung(done) for done in (0, 1, 2, 5, 6, 17, 18)]
    assert rungs == [2, 2, 6, 6, 18, 18, 54]


def test_a_run_goes_on_while_it_is_among_the_best_of_its_rung() -> None:
    pruning = PruningSpec(eta=3)
    assert pruning.goes_on(0.1, [0.9], higher_is_better=True)  # too few to tell
    others = [0.1, 0.2, 0.3, 0.4, 0.5]
    assert pruning.goes_on(0.45, others, higher_is_better=True)  # second of six: 6 // 3 go on
    assert not pruning.goes_on(0.35, others, higher_is_better=True)
    assert pruning.goes_on(0.15, others, higher_is_better=False)
    assert not pruning.goes_on(0.25, others, higher_is_better=False)

"""Client-level privacy: what is cut, what noise is added, and what the run says of it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from fedcore.aggregators import Accumulator
from fedcore.clients.trainer import AUTOGRAD
from fedcore.engine import Engine
from fedcore.engine.context import RunContext, build_context, initial_state
from fedcore.engine.executor import SequentialExecutor
from fedcore.engine.planning import plan
from fedcore.environment import Folders
from fedcore.errors import PrivacyError
from fedcore.messages import Update
from fedcore.params import Layout, Params, subtract, vector
from fedcore.privacy.clients import CLIP, CLIPPING, NOISE, SHORT, ClientPrivacy
from fedcore.spec import RunSpec
from fedcore.state import RunState
from tests.fedcore.runs import (
    assert_same_state,
    play,
    play_in_parts,
    play_rounds,
    small_spec,
)

UNIFORM = {"kind": "mean", "weighting": "uniform"}
WIDE = Layout(("w",), ((10_000,),))


def private_spec(dp: dict[str, Any] | None = None, **sections: Any) -> RunSpec:
    usual: dict[str, Any] = {
        "privacy": {"dp": {"noise_multiplier": 1.0, **(dp or {})}},
        "aggregation": UNIFORM,
        "sampling": {"kind": "poisson", "fraction": 0.5},
    }
    return small_spec(**{**usual, **sections})


def guard(spec: RunSpec, clients: int = 100) -> ClientPrivacy:
    assert spec.privacy.dp is not None
    return ClientPrivacy(spec, spec.privacy.dp, clients)


def wide_state(kept: ClientPrivacy) -> RunState:
    return RunState(0, {"model": Params(WIDE, torch.zeros(WIDE.total))}, privacy=kept.begin())


def mean_of(value: float, count: int) -> Accumulator:
    flat = torch.full((WIDE.total,), value)
    return Accumulator({"delta": Params(WIDE, flat)}, float(count), count)


def released(kept: ClientPrivacy, accumulator: Accumulator) -> torch.Tensor:
    found, _ = kept.release(accumulator, wide_state(kept), WIDE)
    delta = found.sections["delta"]
    assert isinstance(delta, Params)
    return delta.flat


# --- without noise and clip it is FedAvg ----------------------------------------------------------


@pytest.mark.parametrize("sampling", [{"kind": "full"}, {"kind": "random", "fraction": 0.5}])
@pytest.mark.parametrize("algorithm", ["fedavg", "fedadam"])
def test_without_noise_and_clip_it_is_uniform_averaging(
    folders: Folders, sampling: dict[str, Any], algorithm: str
) -> None:
    sections = {"sampling": sampling, "algorithm": {"kind": algorithm}, "aggregation": UNIFORM}
    plain = build_context(small_spec(**sections), folders)
    nothing = {"dp": {"noise_multiplier": 0, "clip_norm": 1e12}}
    private = build_context(small_spec(**sections, privacy=nothing), folders)
    first, _ = play_rounds(plain, 2)
    second, reports = play_rounds(private, 2)
    assert torch.equal(first.model.flat, second.model.flat)
    assert reports[-1].metrics["epsilon"] == math.inf
    assert reports[-1].to_json()["metrics"]["epsilon"] is None


# --- noise ----------------------------------------------------------------------------------------


def test_noise_on_the_mean_is_that_of_the_sum_over_the_expected_cohort() -> None:
    spec = private_spec({"noise_multiplier": 2.0, "clip_norm": 3.0})
    kept = guard(spec)
    assert kept.expected_cohort == 50
    noise = released(kept, Accumulator({}))
    assert noise.std().item() == pytest.approx(2.0 * 3.0 / 50, rel=0.03)
    assert abs(noise.mean().item()) < 4 * 0.12 / 100


def test_twice_the_cohort_is_twice_the_signal_in_the_same_noise() -> None:
    kept = guard(private_spec({"noise_multiplier": 2.0}))
    noise = released(kept, Accumulator({}))
    some = released(kept, mean_of(0.25, 40)) - noise
    more = released(kept, mean_of(0.25, 80)) - noise
    torch.testing.assert_close(some, torch.full_like(some, 0.25 * 40 / 50))
    torch.testing.assert_close(more, 2 * some)


def test_every_round_has_its_own_noise_and_a_repeated_one_has_the_same() -> None:
    kept = guard(private_spec())
    state = wide_state(kept)
    first, second, again = (
        kept.release(Accumulator({}), replace(state, round_index=index), WIDE)[0].sections["delta"]
        for index in (0, 1, 0)
    )
    assert not torch.equal(first["w"], second["w"])
    assert torch.equal(first["w"], again["w"])


def on_sites(clients: int = 4) -> ClientPrivacy:
    """Return what protects the clients of a run on real sites, of so many."""
    spec = RunSpec.parse(
        {
            "privacy": {"dp": {"noise_multiplier": 1.0}},
            "aggregation": UNIFORM,
            "sampling": {"kind": "full"},
            "dataset": {
                "kind": "sites",
                "name": "numbers",
                "inputs": [{"column": "x"}],
                "target": {"column": "y", "classes": ["no", "yes"]},
            },
            "partition": {"kind": "sites", "clients": clients},
            "runtime": {
                "placement": "sites",
                "sites": [f"site {number}" for number in range(clients)],
                "round_limit_s": 60,
            },
        }
    )
    return guard(spec, clients)


def test_on_real_sites_noise_follows_from_a_key_that_no_spec_holds() -> None:
    kept = on_sites()
    first, second = wide_state(kept), wide_state(kept)
    noises = [
        vector(kept.release(Accumulator({}), state, WIDE)[0].sections, "delta").flat
        for state in (first, first, second, replace(first, round_index=1))
    ]
    assert torch.equal(noises[0], noises[1]), "what is worked out twice gets the same noise"
    assert not torch.equal(noises[0], noises[2])
    assert not torch.equal(noises[0], noises[3])
    assert noises[0].std().item() == pytest.approx(1.0 / 4, rel=0.03)
    assert abs(noises[0].mean().item()) < 0.02
    assert abs(torch.dot(noises[0], noises[3]).item()) / WIDE.total < 0.01


def test_other_numbers_get_other_noise_so_that_it_does_not_cancel() -> None:
    kept = on_sites()
    state = wide_state(kept)
    some, more = (
        vector(kept.release(mean_of(0.5, count), state, WIDE)[0].sections, "delta").flat
        for count in (3, 4)
    )
    assert (more - some).std().item() == pytest.approx(2**0.5 / 4, rel=0.05)


# --- clip -----------------------------------------------------------------------------------------


def test_one_client_moves_the_sum_by_no_more_than_the_clip(folders: Folders) -> None:
    dp = {"noise_multiplier": 0, "clip_norm": 0.01}
    sections = {"sampling": {"kind": "full"}}
    honest = build_context(private_spec(dp, **sections), folders)
    attack = {"kind": "sign_flip", "count": 1, "scale": 1e6}
    attacked = build_context(private_spec(dp, **sections, attack=attack), folders)
    first, _ = play(honest, initial_state(honest))
    second, _ = play(attacked, initial_state(attacked))
    moved = torch.linalg.vector_norm(first.model.flat - second.model.flat).item()
    assert 0 < moved * 6 <= 2 * 0.01 * (1 + 1e-5)


@pytest.mark.parametrize(
    "uplink",
    [[], [{"kind": "cast"}], [{"kind": "randk", "ratio": 0.1}], [{"kind": "qsgd"}]],
    ids=["plain", "cast", "randk", "qsgd"],
)
def test_an_update_is_cut_last_whatever_coding_does_to_it(
    folders: Folders, uplink: list[dict[str, Any]]
) -> None:
    clip = 0.01
    spec = private_spec(
        {"noise_multiplier": 0, "clip_norm": clip},
        sampling={"kind": "full"},
        compression={"uplink": uplink},
    )
    context = build_context(spec, folders)
    state = initial_state(context)
    work = plan(context, state).work
    executor = SequentialExecutor(context, AUTOGRAD)
    for _, progress in executor.train(work, lambda: False):  # one client each
        delta = progress.accumulator.sections["delta"]
        assert isinstance(delta, Params)
        assert torch.linalg.vector_norm(delta.flat).item() == pytest.approx(clip, rel=1e-2)
        assert torch.linalg.vector_norm(delta.flat).item() <= clip * (1 + 1e-6)


def test_noise_comes_before_the_step_of_the_server(folders: Folders) -> None:
    spec = private_spec(algorithm={"kind": "fedavgm", "beta": 0.5})
    context = build_context(spec, folders)
    before = initial_state(context)
    one, _ = play(context, before)
    two, _ = play(context, one)
    momentum = subtract(two.model, one.model)
    first = subtract(one.model, before.model)
    second = momentum.flat - 0.5 * first.flat
    # What is left is a released mean: its noise has the standard deviation of the account.
    assert second.std().item() == pytest.approx(1.0 / 3, rel=0.1)


def test_the_limit_for_damaged_updates_does_not_depend_on_others(folders: Folders) -> None:
    context = build_context(private_spec(), folders)
    state, _ = play_rounds(context, 1)
    asked = plan(context, state).work.asked
    assert asked.max_norm is None
    assert asked.clip == 1.0


# --- the account ----------------------------------------------------------------------------------


def test_rounds_count_for_everybody_whoever_took_part(folders: Folders) -> None:
    context = build_context(private_spec(), folders)
    state, reports = play_rounds(context, 4)
    (event,) = state.ledger
    assert event == {"chance": 0.5, "noise": 1.0, "draws": "independent", "count": 4}
    spent = [report.metrics["epsilon"] for report in reports]
    assert spent == sorted(spent)
    assert spent[0] > 0


def test_an_empty_cohort_is_noise_and_costs_as_much_as_any_other(folders: Folders) -> None:
    spec = private_spec({"delta": 1e-9}, sampling={"kind": "poisson", "fraction": 0.001})
    context = build_context(spec, folders)
    before = initial_state(context)
    assert not plan(context, before).work.tasks
    after, report = play(context, before)
    assert not torch.equal(after.model.flat, before.model.flat)
    assert report.metrics["epsilon"] > 0
    assert_same_state(play_in_parts(context, before, 1), after)


def test_a_fixed_cohort_is_accounted_for_as_such(folders: Folders) -> None:
    context = build_context(private_spec(sampling={"kind": "random", "fraction": 0.5}), folders)
    state, _ = play_rounds(context, 1)
    assert state.ledger[0]["draws"] == "fixed_size"
    whole = build_context(private_spec(sampling={"kind": "full"}), folders)
    state, _ = play_rounds(whole, 1)
    assert state.ledger[0]["draws"] == "independent"


def test_an_epsilon_is_kept_over_all_rounds(folders: Folders) -> None:
    spec = private_spec({"noise_multiplier": None, "epsilon": 3.0})
    context = build_context(spec, folders)
    state, reports = play_rounds(context, spec.rounds)
    assert 2.9 < reports[-1].metrics["epsilon"] <= 3.0
    assert state.privacy[NOISE] == state.ledger[0]["noise"]


@pytest.mark.parametrize("adaptive", [None, 0.5])
def test_a_resumed_run_has_spent_what_an_unbroken_one_has(
    tmp_path: Path, adaptive: float | None
) -> None:
    spec = private_spec(
        {"adaptive_clip": adaptive, "noise_multiplier": 0.2},
        partition={"kind": "iid", "clients": 12},
    )
    unbroken, broken = Engine.create(spec), Engine.create(spec)
    for _ in range(2):
        unbroken.run_round()
        broken.run_round()
    broken.save(tmp_path)
    resumed = Engine.resume(spec, tmp_path)
    reports = [engine.run_round() for engine in (unbroken, resumed)]
    assert reports[0].metrics == reports[1].metrics
    assert "epsilon" in reports[0].metrics
    assert ("clip_norm" in reports[0].metrics) == (adaptive is not None)


@pytest.mark.parametrize("lanes", [1, 2])
@pytest.mark.parametrize("adaptive", [None, 0.5])
def test_a_round_in_parts_gets_its_noise_once(
    folders: Folders, lanes: int, adaptive: float | None
) -> None:
    spec = private_spec(
        {"adaptive_clip": adaptive, "noise_multiplier": 0.2},
        partition={"kind": "iid", "clients": 12},
    )
    context = build_context(spec, folders)
    state = initial_state(context)
    whole, _ = play(context, state)
    assert_same_state(play_in_parts(context, state, lanes), whole)


# --- a clip that adapts ---------------------------------------------------------------------------


@pytest.mark.parametrize(("noise", "count_noise", "rest"), [(1, 5, 1.005038), (0.7, 10, 0.700429)])
def test_counting_short_updates_takes_its_part_of_the_noise(
    noise: float, count_noise: float, rest: float
) -> None:
    clients = int(2 * 20 * count_noise)
    spec = private_spec(
        {"noise_multiplier": noise, "adaptive_clip": 0.5},
        partition={"kind": "iid", "clients": clients},
    )
    found = released(guard(spec, clients), Accumulator({}))
    expected = guard(spec, clients).expected_cohort
    assert expected == 20 * count_noise
    assert found.std().item() == pytest.approx(rest / expected, rel=0.03)
    plain = private_spec({"noise_multiplier": rest}, partition={"kind": "iid", "clients": clients})
    torch.testing.assert_close(found, released(guard(plain, clients), Accumulator({})))


def test_the_clip_moves_to_the_length_that_so_many_updates_are_below() -> None:
    spec = private_spec(
        {"noise_multiplier": 0, "adaptive_clip": 0.8, "clip_norm": 100.0},
        sampling={"kind": "full"},
    )
    kept = guard(spec, 100)
    state = wide_state(kept)
    lengths = torch.linspace(0.1, 10.0, 100)
    for _ in range(200):
        flags = torch.where(lengths <= kept.clip_of(state), 0.5, -0.5)
        section = {SHORT: flags.mean().reshape(1)}
        sections = {**mean_of(0.0, 100).sections, CLIPPING: section}
        _, state = kept.release(Accumulator(sections, 100.0, 100), state, WIDE)
    assert kept.clip_of(state) == pytest.approx(8.0, abs=0.2)


def test_a_client_cannot_lie_more_than_yes_or_no_about_its_length() -> None:
    kept = guard(private_spec({"noise_multiplier": 0.1, "adaptive_clip": 0.5}))
    section = Params(WIDE, torch.zeros(WIDE.total))
    update = Update(
        sections={"delta": section, CLIPPING: {SHORT: torch.tensor([1e9])}},
        base_version=0,
        client_id=0,
        weight=1.0,
    )
    assert kept.bounded(update, 1.0).sections[CLIPPING][SHORT].item() == 0.5


def test_too_few_clients_to_count_are_refused_where_it_is_found_out() -> None:
    spec = private_spec(
        {"noise_multiplier": None, "epsilon": 0.1, "adaptive_clip": 0.5},
        partition={"kind": "iid", "clients": 12},
    )
    with pytest.raises(PrivacyError, match="short updates") as caught:
        guard(spec, 12).begin()
    assert caught.value.context["field"] == "privacy.dp.adaptive_clip"


def test_clients_are_told_the_clip(folders: Folders) -> None:
    context: RunContext = build_context(private_spec({"clip_norm": 0.7}), folders)
    tasks = plan(context, initial_state(context)).work.tasks
    assert {task.message.scalars[CLIP] for task in tasks} == {0.7}

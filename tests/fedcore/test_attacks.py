"""Attacks: exactly what they change, who attacks and when, and that a run says so."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from fedcore.attacks import ATTACKS, Attack, distort_vectors, recruit
from fedcore.clients.training import ClientData
from fedcore.data.dataset import Examples
from fedcore.engine.context import build_context
from fedcore.environment import Folders
from fedcore.errors import DatasetError
from fedcore.messages import Update
from fedcore.params import Params
from fedcore.spec import RunSpec
from fedcore.spec.attacks import AttackSpec
from tests.fedcore.runs import play_rounds, small_spec, timeless

LABELS = torch.tensor([0, 1, 1, 2, 3, 7, 9])


def attack(**settings: Any) -> Attack:
    spec = AttackSpec.kinds()[settings["kind"]].model_validate(settings)
    return ATTACKS.of(spec)(spec)


def generator(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [0, 7, 7, 2, 3, 7, 9]),
        ({"sources": [1, 2, 3]}, [0, 7, 7, 7, 7, 7, 9]),
        ({"sources": [9], "target": 0}, [0, 1, 1, 2, 3, 7, 0]),
        ({"mode": "complement"}, [9, 8, 8, 7, 6, 2, 0]),
    ],
)
def test_labels_of_the_sources_change_and_no_others(
    settings: dict[str, Any], expected: list[int]
) -> None:
    before = LABELS.clone()
    poisoned = attack(kind="label_flip", **settings).poison_labels(LABELS, 10)
    assert poisoned.tolist() == expected
    assert poisoned.dtype == LABELS.dtype
    assert torch.equal(LABELS, before)


def test_a_sign_flip_reverses_and_lengthens() -> None:
    update = torch.tensor([1.0, -2.0, 0.5])
    assert attack(kind="sign_flip").poison_update(update, generator()).tolist() == [-5, 10, -2.5]
    turned = attack(kind="sign_flip", scale=1.0).poison_update(update, generator())
    assert torch.equal(turned, -update)


def test_noise_has_the_mean_and_deviation_of_the_spec() -> None:
    noisy = attack(kind="additive_noise", std=0.5, mean=2.0)
    change = noisy.poison_update(torch.ones(100_000), generator()) - 1
    assert float(change.mean()) == pytest.approx(2.0, abs=0.01)
    assert float(change.std()) == pytest.approx(0.5, rel=0.01)


def test_hooks_that_an_attack_does_not_use_do_nothing() -> None:
    update = torch.randn(5)
    assert attack(kind="label_flip").poison_update(update, generator()) is update
    assert attack(kind="sign_flip").poison_labels(LABELS, 10) is LABELS


def adversaries(**settings: Any) -> Any:
    spec = AttackSpec.kinds()["sign_flip"].model_validate({"kind": "sign_flip", **settings})
    return recruit(spec, seed=4, num_clients=20, num_classes=10)


def test_the_share_of_attackers_is_exact_and_drawn_from_the_seed() -> None:
    chosen = adversaries(fraction=0.25).clients
    assert len(chosen) == 5
    assert chosen == adversaries(fraction=0.25).clients
    assert chosen < set(range(20))
    assert len(adversaries(count=3).clients) == 3
    assert len(adversaries(fraction=0.001).clients) == 1
    # Whoever attacks with few accomplices also attacks with more.
    assert adversaries(count=3).clients < chosen


def test_attackers_attack_from_the_first_round_to_the_last() -> None:
    some = adversaries(fraction=0.2, first_round=2, last_round=4)
    (one, *_) = some.clients
    assert [some.attacking(one, index) for index in range(6)] == [0, 0, 1, 1, 1, 0]
    assert not any(some.attacking(client, 3) for client in set(range(20)) - some.clients)


def test_only_the_attackers_own_labels_are_touched() -> None:
    spec = AttackSpec.kinds()["label_flip"].model_validate({"kind": "label_flip", "count": 1})
    some = recruit(spec, seed=0, num_clients=2, num_classes=10)
    (liar,) = some.clients
    examples = Examples(torch.zeros(7, 1), LABELS)
    data = ClientData(liar, examples, torch.tensor([0, 1]))
    poisoned = some.poison_data(data, 0)
    assert poisoned.examples.y.tolist() == [0, 7, 1, 2, 3, 7, 9]
    assert poisoned.examples.x is examples.x
    assert examples.y.tolist() == LABELS.tolist()
    honest = replace(data, client_id=1 - liar)
    assert some.poison_data(honest, 0) is honest


def test_noise_differs_between_clients_and_rounds_and_comes_back_with_the_seed() -> None:
    spec = AttackSpec.kinds()["additive_noise"].model_validate(
        {"kind": "additive_noise", "fraction": 1.0}
    )
    some = recruit(spec, seed=0, num_clients=2, num_classes=10)

    def sent(client_id: int, round_index: int) -> list[float]:
        update = Update(
            sections={"delta": Params.of({"x": torch.zeros(4)})},
            base_version=0,
            client_id=client_id,
            weight=1.0,
        )
        section = some.poison_update(update, 0, round_index, distort_vectors).sections["delta"]
        return [float(number) for number in section["x"]]

    assert sent(0, 0) == sent(0, 0)
    assert sent(0, 0) != sent(1, 0)
    assert sent(0, 0) != sent(0, 1)


def run(tmp_path: Path, spec: RunSpec, rounds: int) -> Any:
    return play_rounds(build_context(spec, Folders(None, tmp_path)), rounds)


def test_before_its_first_round_an_attack_changes_nothing(tmp_path: Path) -> None:
    _, honest = run(tmp_path, small_spec(), 3)
    late = small_spec(attack={"kind": "sign_flip", "fraction": 0.5, "first_round": 2})
    _, attacked = run(tmp_path, late, 3)
    assert [timeless(report) for report in honest[:2]] == [timeless(r) for r in attacked[:2]]
    assert honest[2].metrics != attacked[2].metrics


def test_a_report_names_the_adversaries_of_its_cohort(tmp_path: Path) -> None:
    spec = small_spec(attack={"kind": "sign_flip", "fraction": 0.5})
    _, reports = run(tmp_path, spec, 4)
    cohorts = [{client.client_id for client in report.clients} for report in reports]
    named = [set(report.adversaries) for report in reports]
    assert set().union(*named) <= recruit_of(spec)
    assert all(
        found == cohort & recruit_of(spec) for found, cohort in zip(named, cohorts, strict=True)
    )
    assert any(named)
    assert json.loads(json.dumps(reports[0].to_json()))["adversaries"] == sorted(named[0])


def recruit_of(spec: RunSpec) -> set[int]:
    assert spec.attack is not None
    return set(recruit(spec.attack, seed=spec.seed, num_clients=6, num_classes=10).clients)


def test_an_honest_run_names_none(tmp_path: Path) -> None:
    _, (report,) = run(tmp_path, small_spec(), 1)
    assert report.adversaries == ()
    assert report.to_json()["adversaries"] == []


def recall_of(tmp_path: Path, label: int, **overrides: Any) -> tuple[float, float]:
    """Return recall of one class and accuracy after a run of ten clients that hold all classes."""
    spec = small_spec(
        rounds=8,
        partition={"kind": "iid", "clients": 10},
        sampling={"kind": "full"},
        model={"kind": "mlp", "hidden": [32]},
        local={"epochs": 3, "batch_size": 16, "lr": 0.1},
        **overrides,
    )
    context = build_context(spec, Folders(None, tmp_path))
    state, reports = play_rounds(context, 8)
    model = state.model
    test = context.dataset.test
    with torch.no_grad():
        guesses = context.model.apply(model.layout.views(model.flat), test.x).argmax(1)
    of_class = test.y == label
    return float((guesses[of_class] == label).float().mean()), reports[-1].metrics["accuracy"]


def test_flipped_labels_cost_their_class_and_little_else(tmp_path: Path) -> None:
    clean_recall, clean_accuracy = recall_of(tmp_path, 1)
    attack_of = {"kind": "label_flip", "fraction": 0.4}
    recall, accuracy = recall_of(tmp_path, 1, attack=attack_of)
    assert recall < clean_recall - 0.1
    assert accuracy > clean_accuracy - 0.1


@pytest.mark.parametrize(("settings", "num_labels"), [({}, 7), ({"mode": "complement"}, 0)])
def test_labels_that_the_data_lack_are_refused_when_the_data_are_read(
    settings: dict[str, Any], num_labels: int
) -> None:
    spec = AttackSpec.kinds()["label_flip"].model_validate({"kind": "label_flip", **settings})
    with pytest.raises(DatasetError, match="labels that the data set does not have"):
        recruit(spec, seed=0, num_clients=3, num_classes=num_labels)

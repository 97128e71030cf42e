"""Search by words, and the split that it is scored on."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from fedcore.data import Request, load_dataset
from fedcore.environment import Folders
from fedcore.spec import RunSpec, SweepSpec
from fedcore.spec.data import DigitsSpec
from webapp.intents.builtin import BuiltinBackend


@pytest.mark.parametrize(
    ("prompt", "paths", "trials"),
    [
        ("find a good architecture for MNIST", {"model"}, 20),
        ("Search for the best learning rate, 12 trials", {"local.lr"}, 12),
        ("Suche eine gute Lernrate für Fashion-MNIST", {"local.lr"}, 20),
        ("trouve un bon taux d'apprentissage pour MNIST", {"local.lr"}, 20),
        ("busca una buena arquitectura y tasa de aprendizaje", {"model", "local.lr"}, 20),
        ("找一个好的网络架构和学习率", {"model", "local.lr"}, 20),
    ],
)
def test_a_wish_for_something_good_is_a_search(prompt: str, paths: set[str], trials: int) -> None:
    result = BuiltinBackend().answer(prompt)
    assert result.sweep is not None
    sweep = SweepSpec.model_validate(result.sweep.document())
    assert sweep.search is not None
    assert set(sweep.search.parameters) == paths
    assert sweep.search.trials == trials
    assert sweep.base_spec.dataset.validation == 0.2
    assert f"{trials} trials" in result.warnings[-1]  # the budget comes first


def test_what_has_a_number_is_not_searched_for() -> None:
    result = BuiltinBackend().answer("find a good architecture with learning rate 0.05")
    assert result.sweep is not None
    assert result.sweep.search is not None
    assert set(result.sweep.search["parameters"]) == {"model"}
    assert result.base.local.lr == 0.05


def test_a_search_for_something_else_is_no_search() -> None:
    assert BuiltinBackend().answer("find a good restaurant").declined


def test_a_validation_split_comes_from_the_training_examples(tmp_path: Path) -> None:
    request = Request(0, 2, Folders(None, tmp_path), None)
    whole = load_dataset(DigitsSpec(max_train=100), request)
    split = load_dataset(DigitsSpec(max_train=100, validation=0.2), request)
    assert (len(split.train), len(split.test)) == (80, 20)
    rows = {tuple(row.flatten().tolist()) for row in whole.train.x}
    for part in (split.train, split.test):
        assert all(tuple(row.flatten().tolist()) in rows for row in part.x)
    assert len(torch.cat([split.train.x, split.test.x]).flatten(1).unique(dim=0)) == len(rows)
    assert split.fingerprint != whole.fingerprint
    info = DigitsSpec(max_train=100, validation=0.2).info()
    assert info is not None
    assert (info.num_train, info.num_test) == (80, 20)


def test_a_run_on_a_validation_split_is_valid() -> None:
    spec = RunSpec.model_validate({"dataset": {"kind": "digits", "validation": 0.25}})
    assert spec.dataset.validation == 0.25

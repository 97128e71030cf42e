"""The published data sets, from local copies: what the spec says of them before they are read."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch

from fedcore.data import Dataset, Request, load_dataset
from fedcore.data.tokenizers import Bytes, Characters, Words, split_words
from fedcore.engine import Engine
from fedcore.environment import Folders
from fedcore.spec import RunSpec
from fedcore.spec.data import DatasetSpec
from fedcore.tasks import IGNORED


@pytest.fixture(scope="module")
def local(real_data: Path, cache_dir: Path) -> Folders:
    return Folders(real_data, cache_dir)


def load(local: Folders, **settings: Any) -> Dataset:
    spec = DatasetSpec.kinds()[settings["kind"]].model_validate(settings)
    return load_dataset(spec, Request(0, 20, local))


@pytest.mark.parametrize("kind", ["shakespeare", "banking77", "adult", "heart"])
def test_the_spec_knows_what_the_data_turn_out_to_be(local: Folders, kind: str) -> None:
    dataset = load(local, kind=kind)
    info = DatasetSpec.kinds()[kind].model_validate({}).info()
    assert info is not None
    assert info.input_shape == dataset.input_shape
    assert info.num_classes == dataset.num_classes
    assert (info.num_train, info.num_test) == (len(dataset.train), len(dataset.test))
    assert info.num_tokens == dataset.num_tokens
    assert info.groups == tuple(dataset.groups)
    assert (info.task, info.input_kind) == (dataset.task_name, dataset.input_kind)


def test_a_role_says_its_text_in_order(local: Folders, real_data: Path) -> None:
    dataset = load(local, kind="shakespeare")
    table = pq.read_table(real_data / "shakespeare" / "train.parquet").to_pydict()
    groups = dataset.groups["role"]
    role = groups.names.index("GLOUCESTER")
    spoken = "\n".join(
        text
        for name, text in zip(table["role"], table["text"], strict=True)
        if name == "GLOUCESTER"
    )
    tokens = next(iter(Characters().encode([spoken])))
    for part, owner, expected in (
        (dataset.train, groups.train, tokens[: len(tokens) - len(tokens) // 5]),
        (dataset.test, groups.test, tokens[len(tokens) - len(tokens) // 5 :]),
    ):
        rows = owner == role
        x, y = part.x[rows].flatten(), part.y[rows].flatten()
        assert x[x >= 0].tolist() == expected[:-1]
        assert y[y != IGNORED].tolist() == expected[1:]


def test_words_are_those_of_the_training_split(local: Folders, real_data: Path) -> None:
    dataset = load(local, kind="banking77", vocabulary=500)
    text = pq.read_table(real_data / "banking77" / "train.parquet")["text"].to_pylist()
    words = Words.learn(text, 500)
    assert dataset.train.x[7].tolist()[: len(split_words(text[7]))] == next(words.encode([text[7]]))
    assert int(dataset.test.x.max()) == 500  # words that training never saw share the last token


def test_hospitals_keep_their_shares_and_their_gaps(local: Folders) -> None:
    dataset = load(local, kind="heart")
    groups = dataset.groups["hospital"]
    assert groups.names == ("cleveland", "hungarian", "switzerland", "va")
    assert torch.bincount(groups.test).tolist() == [61, 59, 25, 40]
    assert dataset.class_names == ("healthy", "diseased")
    assert abs(float(dataset.train.x[:, 0].mean())) < 1e-5  # age, which is never missing


def test_only_so_many_examples_are_used(local: Folders) -> None:
    whole, part = load(local, kind="adult"), load(local, kind="adult", max_train=100, max_test=50)
    assert (len(part.train), len(part.test)) == (100, 50)
    assert len(part.groups["sex"].train) == 100
    assert whole.fingerprint != part.fingerprint


def test_tokenizers_read_what_they_do_not_know() -> None:
    assert next(iter(Characters().encode(["\nA~é"]))) == [0, 34, 95, 96]
    assert next(iter(Bytes().encode(["é"]))) == [195, 169]
    words = Words.learn(["Don't stop, don't!", "stop"], 2)
    assert words.words == ("don't", "stop")
    assert next(words.encode(["STOP it"])) == [1, 2]


#: Per data set a model, and what guessing the most frequent answer reaches.
LEARNT: list[tuple[str, dict[str, Any], dict[str, Any], float]] = [
    ("digits", {"kind": "resnet", "depth": 8, "width": 8}, {"lr": 0.1}, 0.1),
    ("digits", {"kind": "resnet", "depth": 8, "width": 8, "norm": "batch"}, {"lr": 0.1}, 0.1),
    (
        "digits",
        {"kind": "vit", "patch_size": 2, "dim": 32, "depth": 1},
        {"lr": 0.003, "optimizer": "adam"},
        0.1,
    ),
    ("adult", {"kind": "linear"}, {"lr": 0.05, "batch_size": 32}, 0.764),
    ("heart", {"kind": "mlp", "hidden": [16]}, {"lr": 0.05}, 0.60),
    (
        "banking77",
        {"kind": "dan", "embedding": 32, "hidden": []},
        {"lr": 0.02, "optimizer": "adam"},
        0.02,
    ),
    (
        "shakespeare",
        {"kind": "char_lstm", "hidden": 48, "layers": 1},
        {"lr": 0.02, "optimizer": "adam", "batch_size": 10},
        0.17,
    ),
    (
        "shakespeare",
        {"kind": "tiny_gpt", "dim": 32, "depth": 1},
        {"lr": 0.01, "optimizer": "adam", "batch_size": 10},
        0.17,
    ),
]


@pytest.mark.parametrize(("kind", "model", "local_settings", "chance"), LEARNT)
def test_a_short_run_beats_the_most_frequent_answer(
    local: Folders,
    kind: str,
    model: dict[str, Any],
    local_settings: dict[str, Any],
    chance: float,
) -> None:
    spec = RunSpec.parse(
        {
            "rounds": 3,
            "dataset": {"kind": kind, "max_train": 1500, "max_test": 500},
            "partition": {"kind": "iid", "clients": 2},
            "model": model,
            "sampling": {"kind": "full"},
            "local": {"epochs": 2, **local_settings},
            "runtime": {"executor": "sequential"},
        }
    )
    engine = Engine.create(spec, data_dir=local.data, cache_dir=local.cache)
    for _ in range(3):
        report = engine.run_round()
    assert report.metrics["accuracy"] > chance + 0.03
    engine.close()

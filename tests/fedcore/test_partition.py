"""Partitions: what the cards check."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from fedcore.data.dataset import Dataset, Examples
from fedcore.errors import PartitionError
from fedcore.partition import Partition, divide
from fedcore.partition.base import class_counts
from fedcore.spec.data import PartitionSpec

CLASSES = 10


def a_dataset(num_train: int = 4000, num_test: int = 1000, classes: int = CLASSES) -> Dataset:
    def examples(count: int) -> Examples:
        return Examples(torch.zeros(count, 1), torch.arange(count) % classes)

    return Dataset(train=examples(num_train), test=examples(num_test), num_classes=classes)


def partition(dataset: Dataset, seed: int = 0, **settings: Any) -> Partition:
    spec = PartitionSpec.kinds()[settings["kind"]].model_validate(settings)
    return divide(spec, dataset, seed)


def counts_of(dataset: Dataset, parts: Partition) -> np.ndarray[Any, np.dtype[np.int64]]:
    counted = class_counts(parts.train, dataset.train.y, dataset.num_classes)
    return np.asarray(counted.numpy())


def entropy(counts: np.ndarray[Any, Any]) -> float:
    """Mean over clients of the entropy of their labels, in nats."""
    shares = counts / counts.sum(1, keepdims=True)
    logs = np.log(shares, where=shares > 0, out=np.zeros_like(shares))
    return float(-(shares * logs).sum(1).mean())


ALL = [
    {"kind": "iid", "clients": 7},
    {"kind": "dirichlet", "clients": 7, "alpha": 0.3},
    {"kind": "dirichlet", "clients": 7, "alpha": 0.3, "mode": "per_client"},
    {"kind": "dirichlet", "clients": 3, "alpha": 1e-3, "mode": "per_client"},
    {"kind": "dirichlet", "clients": 1, "alpha": 0.3},
]


@pytest.mark.parametrize("settings", ALL)
def test_every_example_belongs_to_exactly_one_client(settings: dict[str, Any]) -> None:
    dataset = a_dataset(997, 251)
    parts = partition(dataset, **settings)
    for shares, total in ((parts.train, 997), (parts.test, 251)):
        assert len(shares) == settings["clients"]
        assert torch.equal(shares.indices.sort().values, torch.arange(total))
        joined = torch.cat([shares.of_client(client) for client in range(len(shares))])
        assert torch.equal(joined, shares.indices)


@pytest.mark.parametrize("settings", ALL)
def test_a_partition_follows_from_its_seed(settings: dict[str, Any]) -> None:
    dataset = a_dataset()
    first, again = (partition(dataset, seed=5, **settings) for _ in range(2))
    other = partition(dataset, seed=6, **settings)
    assert torch.equal(first.train.indices, again.train.indices)
    assert first.train.starts == again.train.starts
    assert torch.equal(first.test.indices, again.test.indices)
    assert not torch.equal(first.train.indices, other.train.indices)


@pytest.mark.parametrize("settings", ALL)
def test_examples_are_shuffled_inside_a_client(settings: dict[str, Any]) -> None:
    parts = partition(a_dataset(), **settings)
    for client in range(settings["clients"]):
        rows = parts.train.of_client(client)
        assert not torch.equal(rows, rows.sort().values)


def test_iid_sizes_differ_by_at_most_one() -> None:
    parts = partition(a_dataset(1003, 205), kind="iid", clients=10)
    for shares in (parts.train, parts.test):
        sizes = [shares.size(client) for client in range(10)]
        assert max(sizes) - min(sizes) <= 1


def test_iid_clients_resemble_the_whole() -> None:
    dataset = a_dataset(50_000)
    counts = counts_of(dataset, partition(dataset, kind="iid", clients=5))
    shares = counts / counts.sum(1, keepdims=True)
    distance = np.abs(shares - 1 / CLASSES).sum(1).max() / 2
    assert distance < 0.02


@pytest.mark.parametrize("mode", ["per_class", "per_client"])
def test_labels_become_more_even_as_alpha_grows(mode: str) -> None:
    dataset = a_dataset()

    def at(alpha: float) -> float:
        found = [
            entropy(
                counts_of(
                    dataset,
                    partition(dataset, seed, kind="dirichlet", mode=mode, clients=10, alpha=alpha),
                )
            )
            for seed in range(3)
        ]
        return float(np.mean(found))

    entropies = [at(alpha) for alpha in (0.05, 0.5, 5, 500)]
    assert entropies == sorted(entropies)
    assert entropies[-1] > 0.98 * np.log(CLASSES)


def test_per_client_sizes_are_equal() -> None:
    parts = partition(a_dataset(1003, 205), kind="dirichlet", mode="per_client", clients=10)
    for shares in (parts.train, parts.test):
        sizes = [shares.size(client) for client in range(10)]
        assert max(sizes) - min(sizes) <= 1


def test_per_class_never_feeds_a_client_that_has_its_share() -> None:
    dataset = a_dataset()
    counts = counts_of(dataset, partition(dataset, kind="dirichlet", clients=10, alpha=0.1))
    # In the order of classes, a client that holds an equal share gets nothing more; the last
    # client may get what rounding leaves over.
    held = np.cumsum(counts, axis=1)
    share = len(dataset.train) / 10
    for client in range(9):
        for label in range(1, CLASSES):
            if held[client, label - 1] >= share:
                assert counts[client, label] == 0


@pytest.mark.parametrize("mode", ["per_class", "per_client"])
def test_train_and_test_of_a_client_have_the_same_mix(mode: str) -> None:
    dataset = a_dataset(20_000, 20_000)
    parts = partition(dataset, kind="dirichlet", mode=mode, clients=5, alpha=0.5)
    train = class_counts(parts.train, dataset.train.y, CLASSES).double()
    test = class_counts(parts.test, dataset.test.y, CLASSES).double()
    if mode == "per_class":
        assert (train - test).abs().max() <= 1
    first = train[:3] / train[:3].sum(1, keepdim=True)
    second = test[:3] / test[:3].sum(1, keepdim=True)
    # Later clients take what is left over; the first ones get what they want.
    assert (first - second).abs().max() < 0.05


def test_every_client_gets_its_minimum() -> None:
    dataset = a_dataset(300)
    for seed in range(5):
        counts = counts_of(
            dataset,
            partition(dataset, seed, kind="dirichlet", clients=10, alpha=0.3, min_size=15),
        )
        assert counts.sum(1).min() >= 15


def test_a_class_without_examples_is_no_problem() -> None:
    y = torch.arange(100) % 3
    data = Examples(torch.zeros(100, 1), y)
    dataset = Dataset(train=data, test=data, num_classes=5)
    for mode in ("per_class", "per_client"):
        parts = partition(dataset, kind="dirichlet", mode=mode, clients=4, alpha=0.5)
        assert sum(parts.train.size(client) for client in range(4)) == 100


def problem(make: Callable[[], object]) -> PartitionError:
    with pytest.raises(PartitionError) as caught:
        make()
    assert caught.value.fix
    return caught.value


def test_more_clients_than_samples_is_refused() -> None:
    small = a_dataset(30)
    error = problem(lambda: partition(small, kind="iid", clients=31))
    assert error.field == "partition.clients"
    assert "30" in (error.fix or "")
    error = problem(lambda: partition(small, kind="dirichlet", clients=31))
    assert error.field == "partition.clients"


def test_a_minimum_that_no_draw_reaches_is_refused_in_words() -> None:
    dataset = a_dataset(200)
    error = problem(
        lambda: partition(dataset, kind="dirichlet", clients=40, alpha=0.01, min_size=5)
    )
    assert error.field == "partition.alpha"
    assert "1000" in error.message

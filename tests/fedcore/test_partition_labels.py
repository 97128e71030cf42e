"""Shards, quantity and the report: what their cards check."""

from typing import Any

import numpy as np
import pytest
import torch

from fedcore.data.dataset import Dataset, Examples
from fedcore.data.groups import Groups
from fedcore.partition import report
from fedcore.partition.base import class_counts
from fedcore.partition.report import gini, jensen_shannon, total_variation
from fedcore.partition.strata import strata_of
from fedcore.spec.tasks import TaskName
from tests.fedcore.parted import (
    CLASSES,
    blobs,
    counts_of,
    partition,
    problem,
    sizes_of,
)

COVERING = [
    {"kind": "shards", "clients": 7},
    {"kind": "shards", "clients": 7, "mode": "classes"},
    {"kind": "shards", "clients": 7, "mode": "classes", "classes_per_client": 5},
    {"kind": "quantity", "clients": 7},
    {"kind": "quantity", "clients": 7, "mode": "power_law"},
    {"kind": "feature", "clients": 7},
    {"kind": "embedding", "clients": 7, "clusters": 6},
]


@pytest.mark.parametrize("settings", COVERING)
def test_every_example_belongs_to_exactly_one_client(settings: dict[str, Any]) -> None:
    parts = partition(blobs(997, 251), **settings)
    for shares, total in ((parts.train, 997), (parts.test, 251)):
        assert len(shares) == 7
        assert torch.equal(shares.indices.sort().values, torch.arange(total))


@pytest.mark.parametrize("settings", COVERING)
def test_a_partition_follows_from_its_seed(settings: dict[str, Any]) -> None:
    dataset = blobs(400, 100)
    first, again = (partition(dataset, seed=5, **settings) for _ in range(2))
    other = partition(dataset, seed=6, **settings)
    assert torch.equal(first.train.indices, again.train.indices)
    assert first.train.starts == again.train.starts
    assert torch.equal(first.test.indices, again.test.indices)
    assert not torch.equal(first.train.indices, other.train.indices)


class TestShards:
    @pytest.mark.parametrize("each", [1, 2, 4])
    def test_a_client_holds_few_classes(self, each: int) -> None:
        """A shard of the sorted data touches two classes at most when shards are that small."""
        dataset = blobs()
        parts = partition(dataset, kind="shards", clients=10, classes_per_client=each)
        assert (counts_of(dataset, parts) > 0).sum(1).max() <= 2 * each
        sizes = sizes_of(parts)
        assert max(sizes) - min(sizes) <= each

    def test_shards_that_match_classes_hold_one_class_each(self) -> None:
        dataset = blobs()
        parts = partition(dataset, kind="shards", clients=10, classes_per_client=2)
        assert ((counts_of(dataset, parts) > 0).sum(1) <= 2).all()

    @pytest.mark.parametrize(("clients", "each"), [(5, 2), (7, 3), (30, 2), (4, 10)])
    def test_whole_classes_are_exactly_so_many_per_client(self, clients: int, each: int) -> None:
        dataset = blobs()
        for seed in range(5):
            parts = partition(
                dataset,
                seed,
                kind="shards",
                mode="classes",
                clients=clients,
                classes_per_client=each,
            )
            counts = counts_of(dataset, parts)
            assert ((counts > 0).sum(1) == each).all()
            assert (counts > 0).any(0).all()
            for label in range(CLASSES):  # split evenly among its owners
                held = counts[:, label][counts[:, label] > 0]
                assert held.max() - held.min() <= 1

    @pytest.mark.parametrize("mode", ["shards", "classes"])
    def test_a_client_is_tested_on_its_own_mix(self, mode: str) -> None:
        dataset = blobs(5000, 5000)
        parts = partition(dataset, kind="shards", mode=mode, clients=10)
        train = class_counts(parts.train, dataset.train.y, CLASSES)
        test = class_counts(parts.test, dataset.test.y, CLASSES)
        assert (train - test).abs().max() <= 10

    def test_classes_without_owners_are_refused(self) -> None:
        settings: dict[str, Any] = {"kind": "shards", "mode": "classes", "clients": 3}
        error = problem(lambda: partition(blobs(), **settings, classes_per_client=2))
        assert error.field == "partition.classes_per_client"
        assert "4" in (error.fix or "")
        error = problem(lambda: partition(blobs(), **settings, classes_per_client=11))
        assert error.field == "partition.classes_per_client"

    def test_more_shards_than_examples_are_refused(self) -> None:
        error = problem(lambda: partition(blobs(30), kind="shards", clients=16))
        assert error.field == "partition.clients"


class TestQuantity:
    def test_labels_stay_even_while_sizes_do_not(self) -> None:
        dataset = blobs(20_000)
        parts = partition(dataset, kind="quantity", clients=5, beta=0.5, min_size=500)
        counts = counts_of(dataset, parts)
        shares = counts / counts.sum(1, keepdims=True)
        assert np.abs(shares - 1 / CLASSES).max() < 0.05

    def test_sizes_become_more_even_as_beta_grows(self) -> None:
        def at(beta: float) -> float:
            found = [
                gini(np.array(sizes_of(partition(blobs(), seed, kind="quantity", beta=beta))))
                for seed in range(5)
            ]
            return float(np.mean(found))

        spreads = [at(beta) for beta in (0.5, 2, 10, 1000)]
        assert spreads == sorted(spreads, reverse=True)
        assert spreads[-1] < 0.05

    def test_a_power_law_falls_as_it_says(self) -> None:
        settings: dict[str, Any] = {"kind": "quantity", "mode": "power_law", "clients": 4}
        sizes = sizes_of(partition(blobs(2500), **settings, exponent=1.0))
        assert sizes == [1200, 600, 400, 300]
        assert sizes_of(partition(blobs(2000), **settings, exponent=0.0)) == [500] * 4

    def test_both_splits_have_the_same_shares(self) -> None:
        parts = partition(blobs(4000, 2000), kind="quantity", clients=6)
        for client in range(6):
            assert abs(parts.train.size(client) - 2 * parts.test.size(client)) <= 2

    def test_a_minimum_that_cannot_be_reached_is_refused(self) -> None:
        error = problem(
            lambda: partition(blobs(), kind="quantity", clients=50, beta=0.05, min_size=30)
        )
        assert error.field == "partition.beta"
        error = problem(
            lambda: partition(blobs(), kind="quantity", mode="power_law", clients=50, exponent=3)
        )
        assert error.field == "partition.exponent"


class TestStrata:
    def test_a_regression_is_divided_by_tenths(self) -> None:
        y = torch.randn(1000, 2, generator=torch.Generator().manual_seed(0))
        examples = Examples(torch.zeros(1000, 1), y)
        dataset = Dataset(
            train=examples, test=examples, num_classes=2, task_name=TaskName.REGRESSION
        )
        strata = strata_of(dataset)
        assert np.bincount(strata.train).tolist() == [100] * 10
        parts = partition(dataset, kind="dirichlet", clients=5, alpha=0.1)
        assert report(dataset, parts).total_variation > 0.4

    def test_labels_are_divided_by_the_rarest(self) -> None:
        y = torch.tensor([[1, 0, 1], [1, 0, 0], [0, 0, 0], [1, 1, 1.0]])
        examples = Examples(torch.zeros(4, 1), y)
        dataset = Dataset(
            train=examples,
            test=examples,
            num_classes=3,
            task_name=TaskName.MULTI_LABEL,
            class_names=("a", "b", "c"),
        )
        strata = strata_of(dataset)
        assert strata.train.tolist() == [2, 0, 3, 1]
        assert strata.names == ("a", "b", "c", "none")

    def test_text_to_continue_has_no_classes(self) -> None:
        examples = Examples(torch.zeros(4, 2, dtype=torch.int32), torch.zeros(4, 2).long())
        dataset = Dataset(
            train=examples, test=examples, num_classes=3, task_name=TaskName.NEXT_TOKEN
        )
        assert problem(lambda: partition(dataset, kind="shards", clients=2)).field


class TestReport:
    def test_unlikeness_has_known_ends(self) -> None:
        alike = np.array([[3.0, 1], [6, 2], [0, 0]])
        assert total_variation(alike) == pytest.approx(0)
        assert jensen_shannon(alike) == pytest.approx(0)
        disjoint = np.array([[4.0, 0], [0, 4]])
        assert total_variation(disjoint) == pytest.approx(0.5)
        assert jensen_shannon(disjoint) == pytest.approx(1)
        assert gini(np.array([5.0, 5, 5])) == pytest.approx(0)
        assert gini(np.array([0.0, 0, 9])) == pytest.approx(2 / 3)

    def test_it_counts_what_each_client_holds(self) -> None:
        dataset = blobs(100, 20)
        parts = partition(dataset, kind="shards", mode="classes", clients=5)
        found = report(dataset, parts)
        counts = np.array([row.class_counts for row in found.clients])
        assert (counts.sum(0) == 10).all()
        assert [row.num_train for row in found.clients] == sizes_of(parts)
        assert found.unused_train == 0
        assert found.to_json()["clients"][0]["name"] is None

    def test_many_classes_are_summed_up(self) -> None:
        y = torch.arange(600) % 150
        examples = Examples(torch.zeros(600, 1), torch.cat([y, torch.zeros(600)])[:600].long())
        dataset = Dataset(train=examples, test=examples, num_classes=150)
        found = report(dataset, partition(dataset, kind="iid", clients=3))
        assert found.num_classes == 101
        assert found.class_names[-1] == "other"
        assert sum(sum(row.class_counts) for row in found.clients) == 600

    def test_owners_have_names_and_text_has_tokens(self) -> None:
        x = torch.tensor([[1, 2], [2, 2], [0, 1]], dtype=torch.int32)
        examples = Examples(x, torch.tensor([[2, 2], [2, -100], [1, 1]]))
        owner = torch.tensor([0, 0, 1])
        dataset = Dataset(
            train=examples,
            test=examples,
            num_classes=3,
            task_name=TaskName.NEXT_TOKEN,
            groups={"role": Groups(("A", "B"), owner, owner)},
        )
        found = report(dataset, partition(dataset, kind="natural", min_size=1))
        assert [(row.name, row.class_counts) for row in found.clients] == [
            ("A", (0, 0, 3)),
            ("B", (0, 2, 0)),
        ]

"""Features, embeddings and natural owners: what their cards check."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fedcore.data.dataset import Dataset, Examples
from fedcore.data.groups import NOBODY, Groups
from fedcore.partition import Partition, divide, seen_by_clients
from fedcore.partition.base import class_counts
from fedcore.partition.dirichlet import by_class, fill_clients
from fedcore.partition.embedder import find_clusters
from fedcore.partition.features import rotate
from fedcore.partition.natural import REST
from fedcore.partition.report import total_variation
from fedcore.partition.strata import strata_of
from fedcore.rng import Purpose, numpy_rng
from fedcore.spec.tasks import InputKind, TaskName
from tests.fedcore.parted import (
    CLASSES,
    blobs,
    partition,
    problem,
    sizes_of,
    spec_of,
)


def owned(sizes: dict[str, int], *, nobody: int = 0) -> Dataset:
    """Return a data set whose owners hold so many training examples, and half as many for tests."""
    names = tuple(sorted(sizes))

    def owners(scale: int) -> torch.Tensor:
        held = [
            torch.full((sizes[name] // scale,), place, dtype=torch.int64)
            for place, name in enumerate(names)
        ]
        return torch.cat([*held, torch.full((nobody // scale,), NOBODY, dtype=torch.int64)])

    train, test = owners(1), owners(2)

    def examples(owner: torch.Tensor) -> Examples:
        return Examples(torch.zeros(len(owner), 1), torch.zeros_like(owner))

    return Dataset(
        train=examples(train),
        test=examples(test),
        num_classes=2,
        groups={"hospital": Groups(names, train, test)},
        name="made up",
    )


def linear_probe(x: torch.Tensor, y: torch.Tensor, classes: int) -> float:
    """Return the accuracy of the least-squares classifier on what it was fitted to."""
    inputs = torch.cat([x.flatten(1), torch.ones(len(x), 1)], dim=1).double()
    wanted = torch.nn.functional.one_hot(y, classes).double()
    fitted = torch.linalg.lstsq(inputs, wanted).solution
    return float(((inputs @ fitted).argmax(1) == y).double().mean())


class TestFeature:
    def images(self) -> Dataset:
        generator = torch.Generator().manual_seed(3)
        base = torch.randn(1, 1, 8, 8, generator=generator)

        def examples(count: int) -> Examples:
            noise = 0.2 * torch.randn(count, 1, 8, 8, generator=generator)
            return Examples(base + noise, torch.arange(count) % CLASSES)

        return Dataset(
            train=examples(1200),
            test=examples(300),
            num_classes=CLASSES,
            input_kind=InputKind.IMAGE,
        )

    def seen(self, dataset: Dataset, **settings: Any) -> tuple[Dataset, Partition]:
        spec = spec_of(kind="feature", clients=4, **settings)
        parts = divide(spec, dataset, 0)
        return seen_by_clients(spec, dataset, parts, 0), parts

    @pytest.mark.parametrize("transform", ["rotation", "contrast"])
    def test_inputs_tell_the_client_and_labels_do_not(self, transform: str) -> None:
        dataset, parts = self.seen(self.images(), transform=transform)
        owners = parts.train.owners()
        inputs = dataset.train.x[parts.train.indices]
        labels = dataset.train.y[parts.train.indices]
        assert linear_probe(inputs, owners, 4) > 0.6
        one_hot = torch.nn.functional.one_hot(labels, CLASSES).float()
        assert linear_probe(one_hot, owners, 4) < 0.35

    def test_noise_grows_from_client_to_client(self) -> None:
        before = self.images()
        after, parts = self.seen(before, transform="noise", max_noise=0.9)
        for split in ("train", "test"):
            shares = getattr(parts, split)
            change = getattr(after, split).x - getattr(before, split).x
            found = [float(change[shares.of_client(client)].std()) for client in range(4)]
            assert found == pytest.approx([0.0, 0.3, 0.6, 0.9], abs=0.03)

    def test_a_change_of_nothing_changes_nothing(self) -> None:
        before = self.images()
        for settings in (
            {"transform": "noise", "max_noise": 0},
            {"transform": "rotation", "max_angle": 0},
            {"transform": "contrast", "max_contrast": 1},
        ):
            after, _ = self.seen(before, **settings)
            assert torch.allclose(after.train.x, before.train.x, atol=1e-5)

    def test_train_and_test_of_a_client_see_the_same_change(self) -> None:
        dataset = self.images()
        same = Dataset(
            train=dataset.train,
            test=dataset.train,
            num_classes=CLASSES,
            input_kind=InputKind.IMAGE,
        )
        after, parts = self.seen(same, transform="rotation")
        for client in range(4):
            mean = [
                getattr(after, split).x[getattr(parts, split).of_client(client)].mean(0)
                for split in ("train", "test")
            ]
            assert torch.allclose(mean[0], mean[1], atol=0.1)

    def test_the_original_is_left_alone(self) -> None:
        before = self.images()
        kept = before.train.x.clone()
        self.seen(before, transform="noise")
        assert torch.equal(before.train.x, kept)

    def test_a_quarter_turn_turns_a_quarter(self) -> None:
        image = torch.zeros(1, 1, 5, 5)
        image[0, 0, 0, 2] = 1  # top
        turned = rotate(image, np.pi / 2)  # to the left
        assert float(turned[0, 0, 2, 0]) == pytest.approx(1, abs=1e-4)
        wide = torch.zeros(1, 1, 5, 9)
        wide[0, 0, 0, 4] = 1
        assert float(rotate(wide, np.pi / 2)[0, 0, 2, 2]) == pytest.approx(1, abs=1e-4)

    def test_what_cannot_be_changed_is_refused(self) -> None:
        error = problem(lambda: partition(blobs(), kind="feature", clients=3, transform="rotation"))
        assert error.field == "partition.transform"
        text = Dataset(
            train=Examples(torch.zeros(9, 3), torch.zeros(9)),
            test=Examples(torch.zeros(9, 3), torch.zeros(9)),
            num_classes=2,
            input_kind=InputKind.TEXT,
        )
        assert problem(lambda: partition(text, kind="feature")).field == "partition.kind"


class TestEmbedding:
    def test_well_separated_classes_are_found(self) -> None:
        dataset = blobs(spread=0.1)
        found = find_clusters(dataset, CLASSES, 0, None)
        agreement = torch.zeros(CLASSES, CLASSES)
        for cluster, label in zip(found.train.tolist(), dataset.train.y.tolist(), strict=True):
            agreement[cluster, label] += 1
        assert agreement.max(1).values.sum() / agreement.sum() > 0.9

    def test_clusters_become_more_even_as_alpha_grows(self) -> None:
        dataset = blobs()
        clusters = find_clusters(dataset, 8, 0, None)

        def unlikeness(alpha: float) -> float:
            parts = partition(dataset, kind="embedding", clients=10, clusters=8, alpha=alpha)
            counts = class_counts(parts.train, clusters.train, 8).double().numpy()
            return total_variation(counts)

        found = [unlikeness(alpha) for alpha in (0.1, 1, 100)]
        assert found == sorted(found, reverse=True)
        assert found[-1] < 0.15

    def test_with_labels_for_clusters_it_is_dirichlet(self) -> None:
        dataset = blobs()

        def random() -> np.random.Generator:
            return numpy_rng(4, Purpose.PARTITION)

        draws, strata = random(), strata_of(dataset)
        train = by_class(strata.train, CLASSES, draws)
        test = by_class(strata.test, CLASSES, draws)
        parts = fill_clients(train, test, 6, 0.3, draws)
        expected = partition(dataset, 4, kind="dirichlet", mode="per_client", clients=6, alpha=0.3)
        for client in range(6):
            assert sorted(parts.train[client]) == sorted(expected.train.of_client(client).tolist())

    def test_solved_mixes_never_take_what_is_not_there(self) -> None:
        dataset = blobs()
        parts = partition(dataset, kind="embedding", mode="solve", clients=4, clusters=4, alpha=50)
        taken = parts.train.indices
        assert len(taken.unique()) == len(taken) <= len(dataset.train)
        assert len(taken) > 0.8 * len(dataset.train)
        assert len(parts.test.indices.unique()) == len(parts.test.indices)

    def test_clusters_are_found_once(self, tmp_path: Path) -> None:
        dataset = blobs(300)
        first = find_clusters(dataset, 4, 0, tmp_path)
        (file,) = (tmp_path / "clusters").iterdir()
        written = file.stat().st_mtime_ns
        again = find_clusters(dataset, 4, 0, tmp_path)
        assert torch.equal(first.train, again.train)
        assert file.stat().st_mtime_ns == written
        find_clusters(dataset, 4, 1, tmp_path)
        assert len(list((tmp_path / "clusters").iterdir())) == 2

    def test_text_to_continue_can_be_clustered(self) -> None:
        generator = torch.Generator().manual_seed(0)
        low = torch.randint(0, 5, (60, 12), generator=generator)
        high = torch.randint(5, 10, (60, 12), generator=generator)
        tokens = torch.cat([low, high])
        examples = Examples(tokens[:, :-1].int(), tokens[:, 1:])
        dataset = Dataset(
            train=examples,
            test=examples,
            num_classes=10,
            num_tokens=10,
            task_name=TaskName.NEXT_TOKEN,
            input_kind=InputKind.TEXT,
        )
        found = find_clusters(dataset, 2, 0, None)
        assert found.train[:60].unique().numel() == 1
        assert found.train[0] != found.train[-1]


class TestNatural:
    SIZES = {"berlin": 40, "accra": 90, "cork": 4, "delhi": 20}

    def test_there_is_one_client_per_owner_by_name(self) -> None:
        parts = partition(owned(self.SIZES), kind="natural")
        assert parts.names == ("accra", "berlin", "cork", "delhi")
        assert sizes_of(parts) == [90, 40, 4, 20]
        assert [parts.test.size(client) for client in range(4)] == [45, 20, 2, 10]

    def test_the_largest_are_taken(self) -> None:
        parts = partition(owned(self.SIZES), kind="natural", clients=2)
        assert parts.names == ("accra", "berlin")

    def test_a_random_choice_follows_the_seed(self) -> None:
        dataset = owned({f"owner {number:02d}": 10 for number in range(40)})

        def chosen(seed: int) -> tuple[str, ...]:
            return partition(dataset, seed, kind="natural", clients=5, choose="random").names

        assert chosen(0) == chosen(0)
        assert len({chosen(seed) for seed in range(5)}) > 1

    def test_small_owners_are_left_out_or_merged(self) -> None:
        dataset = owned({**self.SIZES, "essen": 5}, nobody=6)
        dropped = partition(dataset, kind="natural", min_size=10)
        assert dropped.names == ("accra", "berlin", "delhi")
        merged = partition(dataset, kind="natural", min_size=10, small="merge")
        assert merged.names == ("accra", "berlin", "delhi", REST)
        assert merged.train.size(3) == 4 + 5 + 6
        capped = partition(dataset, kind="natural", min_size=10, small="merge", clients=2)
        assert capped.names == ("accra", REST)

    def test_who_gets_what_does_not_depend_on_the_order_of_rows(self) -> None:
        dataset = owned(self.SIZES)
        order = torch.randperm(len(dataset.train), generator=torch.Generator().manual_seed(0))
        shuffled = dataset.take(order, torch.arange(len(dataset.test)))
        first, second = (partition(data, kind="natural") for data in (dataset, shuffled))
        for client in range(4):
            rows = order[second.train.of_client(client)]
            assert torch.equal(rows.sort().values, first.train.of_client(client).sort().values)

    def test_what_has_no_owners_is_refused(self) -> None:
        assert problem(lambda: partition(blobs(), kind="natural")).field == "partition.kind"
        error = problem(lambda: partition(owned(self.SIZES), kind="natural", by="ward"))
        assert error.field == "partition.by"
        assert "hospital" in (error.fix or "")
        error = problem(lambda: partition(owned(self.SIZES), kind="natural", min_size=100))
        assert error.field == "partition.min_size"

"""The robust rules as functions: the known answers of their cards, and their reductions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ctypes import CDLL

import numpy as np
import pytest
import torch
from torch import Tensor

from fedcore.aggregators import blocks
from fedcore.aggregators.bulyan import bulyan, select
from fedcore.aggregators.geometric_median import geometric_median
from fedcore.aggregators.krum import krum_scores, multi_krum
from fedcore.aggregators.order_statistics import median, trimmed_mean
from fedcore.environment import Folders
from fedcore.fast import library, mean

#: Six honest points around (1, 2) and one far away.
POINTS = [(1, 2), (1.1, 2.1), (0.9, 1.9), (1, 2.1), (1.2, 2), (0.8, 2), (100, -100)]
X = [torch.tensor(point, dtype=torch.float32) for point in POINTS]
MEAN = [15.142857, -12.557143]

Rule = Callable[[Sequence[Tensor]], Tensor]


def test_median_of_the_known_points() -> None:
    assert median(X).tolist() == [1.0, 2.0]


def test_the_median_of_an_even_number_is_half_way() -> None:
    assert median(X[:2]).tolist() == pytest.approx([1.05, 2.05])


def test_trimmed_mean_of_the_known_points() -> None:
    assert trimmed_mean(X, 1).tolist() == pytest.approx([1.04, 2.0])
    assert trimmed_mean(X, 0).tolist() == pytest.approx(MEAN)
    assert trimmed_mean(X, 3).tolist() == median(X).tolist()


def test_krum_of_the_known_points() -> None:
    scores = krum_scores(blocks.squared_distances(X), 4)
    assert scores.tolist() == pytest.approx(
        [0.09, 0.13, 0.17, 0.12, 0.21, 0.21, 80780.48], rel=1e-5
    )
    assert multi_krum(X, 1, 1).tolist() == [1.0, 2.0]
    assert multi_krum(X, 1, None).tolist() == pytest.approx([1.0, 2.025])
    assert multi_krum(X, 1, 7).tolist() == pytest.approx(MEAN)


@pytest.mark.parametrize(
    ("iterations", "expected"),
    [(0, MEAN), (1, [3.6761, -0.7406]), (3, [1.0911, 1.9364]), (10, [1.0047, 2.0021])],
)
def test_geometric_median_of_the_known_points(iterations: int, expected: list[float]) -> None:
    assert geometric_median(X, iterations, 1e-6).tolist() == pytest.approx(expected, abs=6e-5)


def test_bulyan_of_the_known_points() -> None:
    assert select(blocks.squared_distances(X), 1) == [0, 3, 1, 2, 4]
    first, second = bulyan(X, 1).tolist()
    assert 0.96 <= first <= 1.04
    assert 1.96 <= second <= 2.04
    assert bulyan(X, 0).tolist() == pytest.approx(MEAN)


RULES: dict[str, Rule] = {
    "median": median,
    "trimmed_mean": lambda x: trimmed_mean(x, 2),
    "krum": lambda x: multi_krum(x, 2, 1),
    "multi_krum": lambda x: multi_krum(x, 2, None),
    "geometric_median": lambda x: geometric_median(x, 10, 1e-6),
    "bulyan": lambda x: bulyan(x, 2),
}


@pytest.mark.parametrize("name", RULES)
def test_two_liars_of_eleven_do_not_move_the_result_far(name: str) -> None:
    generator = torch.Generator().manual_seed(3)
    honest = [1 + 0.1 * torch.randn(500, generator=generator) for _ in range(9)]
    liars = [-1000 * torch.ones(500), 1e6 * torch.randn(500, generator=generator)]
    result = RULES[name]([*honest, *liars])
    assert float((result - 1).abs().max()) < 0.5


@pytest.mark.parametrize("name", RULES)
def test_equal_updates_come_out_as_they_went_in(name: str) -> None:
    one = torch.randn(300, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(RULES[name]([one.clone() for _ in range(11)]), one)


@pytest.mark.parametrize("name", RULES)
def test_blocks_do_not_change_the_result(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(5)
    vectors = [torch.randn(1000, generator=generator) for _ in range(11)]
    whole = RULES[name](vectors)
    monkeypatch.setattr(blocks, "BLOCK_ELEMENTS", 700)
    torch.testing.assert_close(RULES[name](vectors), whole, rtol=1e-6, atol=1e-7)


def test_the_number_of_cores_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK_ELEMENTS", 700)
    generator = torch.Generator().manual_seed(5)
    vectors = [torch.randn(1000, generator=generator) for _ in range(11)]
    many = [rule(vectors) for rule in RULES.values()]
    monkeypatch.setattr(blocks, "num_cores", lambda: 1)
    one = [rule(vectors) for rule in RULES.values()]
    assert all(torch.equal(a, b) for a, b in zip(many, one, strict=True))


def test_distances_survive_an_update_that_is_far_away() -> None:
    vectors = [torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.5]), torch.tensor([1e15, -1e15])]
    distances = blocks.squared_distances(vectors)
    assert distances[0, 1] == pytest.approx(0.25)
    assert np.array_equal(distances, distances.T)
    assert np.diagonal(distances).tolist() == [0, 0, 0]


def test_a_vector_of_nothing_stays_one() -> None:
    for rule in RULES.values():
        assert rule([torch.empty(0)] * 11).shape == (0,)


def built_library(folders: Folders) -> CDLL:
    """Return the operators, built here if setup has not."""
    for place in (Folders.from_environment(), folders):
        found = library.find(place)
        if found is not None:
            return found
    try:
        library.build(folders)
    except library.BuildError as error:
        pytest.skip(str(error))
    found = library.find(folders)
    assert found is not None
    return found


@pytest.mark.parametrize("is_compiled", [False, True])
@pytest.mark.parametrize("count", [2, 3, 7, 16, 17, 100, 257])
def test_a_mean_in_blocks_has_the_bits_of_a_mean_of_whole_vectors(
    monkeypatch: pytest.MonkeyPatch, folders: Folders, count: int, *, is_compiled: bool
) -> None:
    monkeypatch.setattr(blocks, "STREAM_ELEMENTS", 128)
    code = built_library(folders) if is_compiled else None
    monkeypatch.setattr(mean, "_code", lambda: code)
    generator = torch.Generator().manual_seed(4)
    vectors = [torch.randn(1001, generator=generator) for _ in range(count)]
    weights = [float(weight) for weight in range(1, count + 1)]
    left = list(zip(vectors, weights, strict=True))
    while len(left) > 1:
        odd = left[-1:] if len(left) % 2 else []
        pairs = list(zip(left[::2], left[1::2], strict=False))
        left = [(x.lerp(y, v / (u + v)), u + v) for (x, u), (y, v) in pairs] + odd
    assert torch.equal(blocks.mean_in_tree(vectors, weights), left[0][0])

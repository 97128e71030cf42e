"""Graphs of clients, the weights of neighbours, and what mixing does to models."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from fedcore.spec import check
from fedcore.spec.topology import TopologySpec
from fedcore.topology import (
    MAX_PAIRS,
    Links,
    Network,
    among,
    gossip,
    metropolis,
    mixing_matrix,
    pairs,
)

KINDS: list[dict[str, Any]] = [
    {"kind": "ring"},
    {"kind": "torus"},
    {"kind": "complete"},
    {"kind": "random"},
    {"kind": "random", "degree": 5},
    {"kind": "random", "degree": 2},
]


def spec_of(settings: dict[str, Any]) -> TopologySpec:
    return TopologySpec.kinds()[settings["kind"]].model_validate(settings)


def links_of(settings: dict[str, Any], clients: int, round_index: int = 0) -> Links:
    network = Network(spec_of(settings), tuple(range(clients)), seed=0)
    return network.links(round_index)


def second_eigenvalue(links: Links) -> float:
    """Return the second largest absolute eigenvalue, which is how slowly clients agree."""
    values = torch.linalg.eigvalsh(mixing_matrix(links)).abs().sort(descending=True).values
    return float(values[1])


def spread(models: dict[int, Tensor]) -> float:
    stack = torch.stack(list(models.values()))
    return float((stack - stack.mean(0)).square().sum())


def models_of(count: int) -> dict[int, Tensor]:
    generator = torch.Generator().manual_seed(7)
    return {node: torch.randn(4, generator=generator, dtype=torch.float64) for node in range(count)}


@pytest.mark.parametrize("clients", [2, 3, 4, 9, 12, 16])
@pytest.mark.parametrize("settings", KINDS, ids=str)
def test_every_client_has_the_neighbours_that_the_spec_counts(
    settings: dict[str, Any], clients: int
) -> None:
    links = links_of(settings, clients)
    assert sorted(links) == list(range(clients))
    for node, others in links.items():
        assert len(others) == spec_of(settings).num_neighbours(clients)
        assert node not in others
        assert all(node in links[other] for other in others)


@pytest.mark.parametrize("clients", [2, 9, 16])
@pytest.mark.parametrize("settings", KINDS, ids=str)
def test_weights_are_doubly_stochastic_and_the_graph_is_connected(
    settings: dict[str, Any], clients: int
) -> None:
    links = links_of(settings, clients)
    matrix = mixing_matrix(links)
    ones = torch.ones(clients, dtype=torch.float64)
    assert torch.equal(matrix, matrix.T)
    torch.testing.assert_close(matrix.sum(0), ones)
    torch.testing.assert_close(matrix.sum(1), ones)
    assert float(matrix.min()) >= 0
    assert second_eigenvalue(links) < 1 - 1e-6


def test_a_ring_agrees_as_slowly_as_theory_says() -> None:
    expected = (1 + 2 * math.cos(2 * math.pi / 12)) / 3
    assert second_eigenvalue(links_of({"kind": "ring"}, 12)) == pytest.approx(expected)


def test_more_neighbours_agree_faster() -> None:
    kinds = ({"kind": "ring"}, {"kind": "torus"}, {"kind": "random", "degree": 10})
    ring, torus, random = (second_eigenvalue(links_of(settings, 36)) for settings in kinds)
    assert ring > torus > random
    assert second_eigenvalue(links_of({"kind": "complete"}, 36)) < 1e-12


def test_random_neighbours_are_drawn_anew_and_again_the_same() -> None:
    first, again, other = (links_of({"kind": "random"}, 20, index) for index in (0, 0, 1))
    assert first == again
    assert first != other
    assert links_of({"kind": "ring"}, 20, 0) == links_of({"kind": "ring"}, 20, 1)


def test_who_is_away_has_no_edges_and_the_weights_are_made_of_what_is_left() -> None:
    links = among(links_of({"kind": "ring"}, 6), {0, 1, 2, 4})
    assert links == {0: (1,), 1: (0, 2), 2: (1,), 3: (), 4: (), 5: ()}
    matrix = mixing_matrix(links)
    torch.testing.assert_close(matrix.sum(0), torch.ones(6, dtype=torch.float64))
    assert metropolis(links, 0) == {1: pytest.approx(1 / 3)}
    assert matrix[3, 3] == matrix[4, 4] == 1


def test_a_network_leaves_out_those_that_are_lost() -> None:
    network = Network(
        spec_of({"kind": "complete"}),
        (2, 5, 7, 9),
        is_away=lambda round_index, node: (round_index, node) == (1, 7),
    )
    assert network.links(0)[7] == (2, 5, 9)
    assert network.links(1) == {2: (5, 9), 5: (2, 9), 7: (), 9: (2, 5)}


@pytest.mark.parametrize("settings", KINDS, ids=str)
def test_gossip_keeps_the_sum_and_steps_are_powers_of_the_matrix(settings: dict[str, Any]) -> None:
    links, before = links_of(settings, 9), models_of(9)
    after = before
    for _ in range(3):
        after = gossip(after, links)
    stacked, mixed = torch.stack(list(before.values())), torch.stack(list(after.values()))
    torch.testing.assert_close(mixed.sum(0), stacked.sum(0))
    power = torch.linalg.matrix_power(mixing_matrix(links), 3)
    torch.testing.assert_close(mixed, power @ stacked)


@pytest.mark.parametrize("settings", KINDS, ids=str)
def test_one_step_leaves_at_most_the_square_of_the_second_eigenvalue(
    settings: dict[str, Any],
) -> None:
    links, before = links_of(settings, 9), models_of(9)
    bound = second_eigenvalue(links) ** 2 * spread(before)
    assert spread(gossip(before, links)) <= bound + 1e-12


def test_gossip_uses_the_values_of_the_step_before_whatever_the_order() -> None:
    links, before = links_of({"kind": "ring"}, 5), models_of(5)
    forward = gossip(before, links)
    backward = gossip(dict(reversed(before.items())), links)
    assert all(torch.equal(forward[node], backward[node]) for node in before)


def test_those_that_agree_stay_as_they_are() -> None:
    one = torch.tensor([0.1, 1 / 3, 1e-20])
    after = gossip(dict.fromkeys(range(7), one), links_of({"kind": "complete"}, 7))
    assert all(torch.equal(model, one) for model in after.values())


def document(**overrides: Any) -> dict[str, Any]:
    return {
        "algorithm": {"kind": "dfedsam"},
        "topology": {"kind": "ring"},
        "sampling": {"kind": "full"},
        "partition": {"kind": "iid", "clients": 6},
        **overrides,
    }


def test_a_spec_without_a_server_is_sound() -> None:
    assert check(document()).problems == ()


@pytest.mark.parametrize(
    ("overrides", "paths"),
    [
        ({"topology": {"kind": "star"}}, ["topology.kind"]),
        ({"algorithm": {"kind": "fedavg"}}, ["topology.kind"]),
        ({"sampling": {"kind": "random"}}, ["sampling.kind"]),
        ({"partition": {"kind": "iid", "clients": 1}}, ["partition.clients"]),
        (
            {"topology": {"kind": "torus"}, "partition": {"kind": "iid", "clients": 7}},
            ["topology.kind"],
        ),
        ({"topology": {"kind": "random", "degree": 6}}, ["topology.degree"]),
        (
            {
                "topology": {"kind": "random", "degree": 3},
                "partition": {"kind": "iid", "clients": 7},
            },
            ["topology.degree"],
        ),
        (
            {"compression": {"uplink": [{"kind": "quantize"}], "downlink": [{"kind": "topk"}]}},
            ["compression.uplink", "compression.downlink"],
        ),
        ({"attack": {"kind": "sign_flip"}}, ["attack"]),
        ({"runtime": {"deadline_s": 5}}, ["runtime.deadline_s"]),
        ({"runtime": {"placement": "workers"}}, ["runtime.placement"]),
        ({"aggregation": {"kind": "median"}}, ["aggregation.kind"]),
        ({"model": {"kind": "resnet", "norm": "batch"}}, ["model.norm"]),
    ],
    ids=str,
)
def test_what_does_not_go_together_is_refused_by_path(
    overrides: dict[str, Any], paths: list[str]
) -> None:
    assert [problem.path for problem in check(document(**overrides)).problems] == paths


def test_every_edge_is_named_once_unless_nobody_could_tell_them_apart() -> None:
    assert pairs(links_of({"kind": "ring"}, 4)) == ((0, 1), (0, 3), (1, 2), (2, 3))
    assert pairs(links_of({"kind": "star"}, 4)) == ()
    at_most = math.isqrt(2 * MAX_PAIRS)
    complete = links_of({"kind": "complete"}, at_most)
    assert len(pairs(complete)) == at_most * (at_most - 1) // 2 <= MAX_PAIRS
    assert pairs(links_of({"kind": "complete"}, at_most + 2)) == ()

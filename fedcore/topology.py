"""Graphs of clients that talk to each other, and how much they listen to their neighbours.

A graph is the neighbours of each node, in both directions alike. Weights are Metropolis weights, a
symmetric matrix whose rows and columns add to 1, so that mixing leaves the average of all models
where it is. Who is away has no edges in that round, and the weights are those of what is left.
Rows that were merely scaled up again would favour some clients' models.

Source: Xiao, Boyd and Kim, "Distributed average consensus with least-mean-square deviation", 2007,
section 2 (Metropolis weights).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import torch
from torch import Tensor

from fedcore.registry import Registry
from fedcore.rng import Purpose, rng
from fedcore.spec.topology import (
    CompleteSpec,
    RandomTopologySpec,
    RingSpec,
    StarSpec,
    TopologySpec,
    TorusSpec,
)

#: By node, those it talks to, sorted.
Links = Mapping[int, tuple[int, ...]]
#: A report names no more edges than this: nobody could tell them apart.
MAX_PAIRS = 2_000


class Graph(Protocol):
    """Links places, which are numbered from 0."""

    def __call__(self, spec: TopologySpec, num_places: int, generator: torch.Generator) -> Links:
        """Return who talks to whom.

        Args:
            spec: Which graph.
            num_places: How many there are, at least 1.
            generator: Of one round, for graphs that change.
        """


GRAPHS: Registry[Graph] = Registry(TopologySpec)


@dataclass(frozen=True, eq=False)
class Network:
    """The clients of a run, linked.

    Attributes:
        spec: Which graph.
        nodes: The clients that hold examples, sorted by id.
        seed: Seed of the run.
        is_away: Whether a client takes no part in a round, by round and id.
    """

    spec: TopologySpec = StarSpec()  # noqa: RUF009  (frozen)
    nodes: tuple[int, ...] = ()
    seed: int = 0
    is_away: Callable[[int, int], bool] = lambda _round_index, _client_id: False

    def links(self, round_index: int) -> Links:
        """Return who talks to whom in a round; who is away talks to nobody."""
        return _links(self, round_index)

    def links_among(self, round_index: int, present: Collection[int]) -> Links:
        """Return the same of some clients alone."""
        return among(self.links(round_index), present)


@lru_cache(maxsize=8)
def _links(network: Network, round_index: int) -> Links:
    nodes, generator = network.nodes, rng(network.seed, Purpose.TOPOLOGY, round_index)
    if not nodes:
        return {}
    places = GRAPHS.of(network.spec)(network.spec, len(nodes), generator)
    links = {nodes[at]: tuple(nodes[other] for other in places[at]) for at in range(len(nodes))}
    return among(links, [node for node in nodes if not network.is_away(round_index, node)])


def among(links: Links, present: Collection[int]) -> Links:
    """Return a graph without the edges of those that are not present; they have no neighbours."""
    known = frozenset(present)
    return {
        node: tuple(other for other in others if other in known) if node in known else ()
        for node, others in links.items()
    }


def pairs(links: Links) -> tuple[tuple[int, int], ...]:
    """Return every edge once, the smaller node first; none if there are more than MAX_PAIRS."""
    if sum(len(others) for others in links.values()) > 2 * MAX_PAIRS:
        return ()
    return tuple((node, other) for node in links for other in links[node] if node < other)


def metropolis(links: Links, node: int) -> dict[int, float]:
    """Return how much a node listens to each neighbour; what is missing to 1 is its own weight.

    ``W_ij = 1 / (1 + max(degree of i, degree of j))``, which lies between 0 and 1/2.
    """
    degree = len(links[node])
    return {other: 1 / (1 + max(degree, len(links[other]))) for other in links[node]}


def mixing_matrix(links: Links) -> Tensor:
    """Return all weights, shape ``(nodes, nodes)``, float64, in the order of the nodes."""
    place = {node: at for at, node in enumerate(links)}
    matrix = torch.zeros(len(links), len(links), dtype=torch.float64)
    for node, at in place.items():
        for other, weight in metropolis(links, node).items():
            matrix[at, place[other]] = weight
        matrix[at, at] = 1 - matrix[at].sum()
    return matrix


def gossip(models: Mapping[int, Tensor], links: Links) -> dict[int, Tensor]:
    """Return what models become when each node mixes in those of its neighbours, all at once.

    ``v_i + sum_j W_ij (v_j - v_i)``: nodes that agree already stay as they are, to the last bit.

    Args:
        models: A vector of each node.
        links: Who talks to whom; every node that occurs has a model.
    """
    mixed = {}
    for node, own in models.items():
        new = own.clone()
        for other, weight in metropolis(links, node).items():
            new.add_(models[other] - own, alpha=weight)
        mixed[node] = new
    return mixed


@GRAPHS.implements(StarSpec)
def _star(spec: TopologySpec, num_places: int, generator: torch.Generator) -> Links:  # noqa: ARG001
    return dict.fromkeys(range(num_places), ())


@GRAPHS.implements(RingSpec)
def _ring(spec: TopologySpec, num_places: int, generator: torch.Generator) -> Links:  # noqa: ARG001
    return _circulant(range(num_places), [1])


@GRAPHS.implements(TorusSpec)
def _torus(spec: TorusSpec, num_places: int, generator: torch.Generator) -> Links:  # noqa: ARG001
    """Return a grid; a number of places that makes none, because clients went empty, is a ring."""
    columns = num_places // spec.num_rows(num_places)
    edges = []
    for at in range(num_places):
        row = at - at % columns
        edges += [(at, row + (at + 1) % columns), (at, (at + columns) % num_places)]
    return _graph(num_places, edges)


@GRAPHS.implements(CompleteSpec)
def _complete(spec: TopologySpec, num_places: int, generator: torch.Generator) -> Links:  # noqa: ARG001
    return _circulant(range(num_places), range(1, num_places // 2 + 1))


@GRAPHS.implements(RandomTopologySpec)
def _random(spec: RandomTopologySpec, num_places: int, generator: torch.Generator) -> Links:
    """Return a ring in random order with chords of random lengths; 1 is one, so it is connected."""
    degree = spec.num_neighbours(num_places)
    order = torch.randperm(num_places, generator=generator).tolist()
    longest = (num_places - 1) // 2
    if degree == 0:
        return dict.fromkeys(order, ())
    if degree == 1:  # two places
        return _circulant(order, [1])
    others = torch.randperm(max(longest - 1, 0), generator=generator) + 2
    lengths = [1, *others[: degree // 2 - 1].tolist()]
    if degree % 2:  # the chord across, which is one neighbour and not two
        lengths.append(num_places // 2)
    return _circulant(order, lengths)


def _circulant(order: Iterable[int], lengths: Iterable[int]) -> Links:
    """Return a graph on a circle: each place is linked to those so far on, both ways."""
    circle, steps = list(order), list(lengths)
    count = len(circle)
    edges = [(circle[at], circle[(at + step) % count]) for at in range(count) for step in steps]
    return _graph(count, edges)


def _graph(num_places: int, edges: Iterable[tuple[int, int]]) -> Links:
    """Return a graph by its edges; loops and repetitions are left out."""
    found: list[set[int]] = [set() for _ in range(num_places)]
    for one, other in edges:
        if one != other:
            found[one].add(other)
            found[other].add(one)
    return {at: tuple(sorted(others)) for at, others in enumerate(found)}

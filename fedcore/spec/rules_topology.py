"""Rules between who talks to whom and the rest of a spec."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fedcore.spec.problems import Problem
from fedcore.spec.rules import rule
from fedcore.spec.topology import RandomTopologySpec, TorusSpec

if TYPE_CHECKING:
    from fedcore.spec.run import RunSpec


@rule
def topology_fits_method(spec: RunSpec) -> Iterator[Problem]:
    """A method has a server or it has not."""
    method, topology = spec.algorithm, spec.topology
    if method.is_decentralised and topology.has_server:
        yield Problem(
            "topology.kind",
            "contradiction",
            f"{method.title} has no server; its clients talk to each other.",
            "Set topology.kind to ring, torus, complete or random.",
        )
    if not method.is_decentralised and not topology.has_server:
        yield Problem(
            "topology.kind",
            "contradiction",
            f"{method.title} needs a server.",
            "Set topology.kind to star, or algorithm.kind to dfedsam.",
        )


@rule
def neighbours_exist(spec: RunSpec) -> Iterator[Problem]:
    """A graph must be possible with so many clients."""
    topology, clients = spec.topology, spec.partition.clients
    if topology.has_server:
        return
    if clients == 1:
        yield Problem(
            "partition.clients",
            "too_few_clients",
            "A client alone has no neighbours.",
            "Set partition.clients to at least 2.",
        )
    elif isinstance(topology, TorusSpec) and topology.num_rows(clients) == 1:
        yield Problem(
            "topology.kind",
            "contradiction",
            f"{clients} clients make no grid of several rows.",
            "Set topology.kind to ring, or partition.clients to a number such as 16.",
        )
    elif isinstance(topology, RandomTopologySpec):
        yield from _degree_problems(topology, clients)


def _degree_problems(topology: RandomTopologySpec, clients: int) -> Iterator[Problem]:
    if topology.degree > clients - 1:
        yield Problem(
            "topology.degree",
            "too_many",
            f"There are only {clients - 1} other clients.",
            "Lower topology.degree, or set topology.kind to complete.",
        )
    elif topology.num_neighbours(clients) != topology.degree:
        yield Problem(
            "topology.degree",
            "out_of_range",
            f"An odd number of clients ({clients}) cannot have {topology.degree} neighbours each.",
            f"Set topology.degree to {topology.degree - 1} or {topology.degree + 1}.",
        )


@rule
def neighbours_exchange_whole_models(spec: RunSpec) -> Iterator[Problem]:
    """Codecs and attacks are made for changes of one common model, which neighbours do not have."""
    if spec.topology.has_server:
        return
    for direction in ("uplink", "downlink"):
        if getattr(spec.compression, direction):
            yield Problem(
                f"compression.{direction}",
                "contradiction",
                "Neighbours send each other whole models, uncompressed.",
                f"Remove compression.{direction}, or set topology.kind to star.",
            )
    if spec.attack is not None:
        yield Problem(
            "attack",
            "contradiction",
            "Attacks are made on updates to a server.",
            "Remove attack, or set topology.kind to star.",
        )


@rule
def nobody_keeps_a_deadline(spec: RunSpec) -> Iterator[Problem]:
    """It is the server that ends a round early."""
    if not spec.topology.has_server and spec.runtime.deadline_s is not None:
        yield Problem(
            "runtime.deadline_s",
            "contradiction",
            "Without a server nobody ends a round early.",
            "Leave runtime.deadline_s empty, or set topology.kind to star.",
        )

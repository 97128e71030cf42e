"""A few classes per client: shards of the sorted examples, or whole classes.

Source: ``shards`` is McMahan et al., "Communication-Efficient Learning of Deep Networks from
Decentralized Data", AISTATS 2017, arXiv:1602.05629, section 3 (there 200 shards, two for each of
100 clients). ``classes`` gives every client exactly s classes, as in the "#C = s" setting of Li et
al., "Federated Learning on Non-IID Data Silos", ICDE 2022, arXiv:2102.02079.
"""

from __future__ import annotations

import numpy as np

from fedcore.errors import PartitionError
from fedcore.partition.base import (
    PARTITIONERS,
    Indices,
    Material,
    Parts,
    require_enough_examples,
)
from fedcore.partition.strata import Strata, match_test_split, strata_of
from fedcore.spec.data import ShardsPartitionSpec


@PARTITIONERS.implements(ShardsPartitionSpec)
def divide_shards(spec: ShardsPartitionSpec, material: Material) -> Parts:
    """Return parts of few classes; a client is tested on the classes that it trains on.

    Raises:
        PartitionError: If there are too few examples or classes.
    """
    require_enough_examples(spec, material.dataset)
    strata, random = strata_of(material.dataset), material.random
    cut = _cut_shards if spec.mode == "shards" else _cut_classes
    train = cut(spec, strata, random)
    return Parts(train, match_test_split(train, strata, random))


def _cut_shards(
    spec: ShardsPartitionSpec, strata: Strata, random: np.random.Generator
) -> list[Indices]:
    """Return some equal shards of the sorted examples for each client."""
    order = random.permutation(len(strata.train))
    by_label = order[np.argsort(strata.train[order], kind="stable")]
    each = spec.classes_per_client
    shards = np.array_split(by_label, spec.clients * each)
    dealt = random.permutation(len(shards)).reshape(spec.clients, each)
    return [np.concatenate([shards[number] for number in hand]) for hand in dealt]


def _cut_classes(
    spec: ShardsPartitionSpec, strata: Strata, random: np.random.Generator
) -> list[Indices]:
    """Return whole classes, each split evenly among the clients that own it."""
    present = np.flatnonzero(np.bincount(strata.train, minlength=strata.count))
    _require_classes(spec, len(present))
    owned = present[_deal(len(present), spec.clients, spec.classes_per_client, random)]
    order = random.permutation(len(strata.train))
    parts: list[list[Indices]] = [[] for _ in range(spec.clients)]
    for label in present:
        owners = np.flatnonzero((owned == label).any(1))
        members = order[strata.train[order] == label]
        pieces = np.array_split(members, len(owners))
        for owner, piece in zip(random.permutation(owners), pieces, strict=True):
            parts[owner].append(piece)
    joined = [np.concatenate(pieces) for pieces in parts]
    smallest = min(len(part) for part in joined)
    if smallest == 0:
        raise PartitionError(
            "some client would get no training example: its classes have fewer than owners",
            field="partition.clients",
            fix="Lower partition.clients or partition.classes_per_client.",
        )
    return joined


def _require_classes(spec: ShardsPartitionSpec, num_classes: int) -> None:
    each = spec.classes_per_client
    if each > num_classes:
        raise PartitionError(
            f"{each} classes per client are more than the {num_classes} that there are",
            field="partition.classes_per_client",
            fix=f"Set partition.classes_per_client to at most {num_classes}.",
        )
    if each * spec.clients < num_classes:
        raise PartitionError(
            f"{spec.clients} clients with {each} classes each leave some of the {num_classes} "
            "classes without an owner",
            field="partition.classes_per_client",
            fix=f"Set it to at least {-(-num_classes // spec.clients)}, or raise "
            "partition.clients.",
        )


def _deal(num_classes: int, clients: int, each: int, random: np.random.Generator) -> Indices:
    """Return ``each`` different classes per client, all classes owned equally often or once more.

    Each client takes the classes that still have most owners to find, ties broken at random, which
    never runs into a client that would have to take a class twice.
    """
    total = clients * each
    left = np.full(num_classes, total // num_classes)
    left[random.permutation(num_classes)[: total % num_classes]] += 1
    hands = np.empty((clients, each), dtype=np.int64)
    for client in range(clients):
        hand = np.lexsort((random.random(num_classes), -left))[:each]
        left[hand] -= 1
        hands[client] = hand
    return hands

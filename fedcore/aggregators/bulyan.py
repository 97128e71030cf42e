"""Bulyan: Krum's winners one after another, then a mean around the median of every coordinate.

Source: El Mhamdi, Guerraoui and Rouault, ICML 2018, arXiv:1802.07927, section 4.
Paper to code: n is the number of updates, f is ``spec.num_byzantine``, theta is n - 2f.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from fedcore.aggregators.base import AGGREGATORS, Aggregator
from fedcore.aggregators.blocks import Block, Matrix, per_coordinate, squared_distances
from fedcore.aggregators.gathered import Gathering
from fedcore.aggregators.krum import krum_scores
from fedcore.spec.aggregators import BulyanSpec


def select(distances: Matrix, num_byzantine: int) -> list[int]:
    """Return the selected clients in the order of selection.

    Args:
        distances: Squared distances, shape ``(clients, clients)``.
        num_byzantine: Assumed number of bad clients.
    """
    remaining = list(range(len(distances)))
    selected = []
    for _ in range(len(distances) - 2 * num_byzantine):
        among = distances[np.ix_(remaining, remaining)]
        num_neighbours = max(1, len(remaining) - num_byzantine - 2)
        winner = int(np.argmin(krum_scores(among, num_neighbours)))
        selected.append(remaining.pop(winner))
    return selected


def bulyan(vectors: Sequence[Tensor], num_byzantine: int) -> Tensor:
    """Return per coordinate the mean of the selected values that are closest to their median."""
    selected = select(squared_distances(vectors), num_byzantine)
    kept = len(selected) - 2 * num_byzantine
    middle = len(selected) // 2
    lower = (len(selected) - 1) // 2

    def around_the_median(block: Block) -> Block:
        centre = (block[:, lower : lower + 1] + block[:, middle : middle + 1]) * np.float32(0.5)
        nearest = np.argsort(np.abs(block - centre), axis=1, kind="stable")[:, :kept]
        values = np.take_along_axis(block, nearest, axis=1)
        means: Block = values.mean(axis=1, dtype=np.float64).astype(np.float32)
        return means

    return per_coordinate([vectors[client] for client in selected], around_the_median)


@AGGREGATORS.implements(BulyanSpec)
def bulyan_aggregator(spec: BulyanSpec) -> Aggregator:
    """Return the aggregator; it holds all updates of a cohort."""
    return Gathering(spec, lambda vectors, _: bulyan(vectors, spec.num_byzantine(len(vectors))))

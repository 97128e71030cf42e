"""Krum and Multi-Krum: the updates with the least sum of squared distances to their neighbours.

Source: Blanchard, El Mhamdi, Guerraoui and Stainer, NeurIPS 2017, arXiv:1703.02757, section 4.
Paper to code: n is the number of updates, f is ``spec.num_byzantine``, m is ``spec.keep``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from fedcore.aggregators.base import AGGREGATORS, Aggregator
from fedcore.aggregators.blocks import Matrix, squared_distances, weighted_sum
from fedcore.aggregators.gathered import Gathering
from fedcore.spec.aggregators import KrumSpec, MultiKrumSpec


def krum_scores(distances: Matrix, num_neighbours: int) -> Matrix:
    """Return each client's sum of the smallest squared distances to other clients, ``(clients,)``.

    Args:
        distances: Squared distances, shape ``(clients, clients)``.
        num_neighbours: How many distances to add.
    """
    others = distances.copy()
    np.fill_diagonal(others, np.inf)
    others.sort(axis=1)
    scores: Matrix = others[:, :num_neighbours].sum(axis=1)
    return scores


def multi_krum(vectors: Sequence[Tensor], num_byzantine: int, keep: int | None) -> Tensor:
    """Return the mean of the ``keep`` vectors with the lowest scores, all scored once.

    Args:
        vectors: One per client, in the order that breaks ties.
        num_byzantine: Assumed number of bad clients.
        keep: How many to average; None for all but the bad ones and two.
    """
    count = len(vectors)
    scores = krum_scores(squared_distances(vectors), count - num_byzantine - 2)
    kept = count - num_byzantine - 2 if keep is None else keep
    chosen: list[int] = sorted(np.argsort(scores, kind="stable")[:kept].tolist())
    if len(chosen) == 1:
        return vectors[chosen[0]].clone()
    return weighted_sum([vectors[client] for client in chosen], [1 / len(chosen)] * len(chosen))


@AGGREGATORS.implements(KrumSpec)
def krum_aggregator(spec: KrumSpec) -> Aggregator:
    """Return the aggregator; it holds all updates of a cohort."""
    return Gathering(
        spec, lambda vectors, _: multi_krum(vectors, spec.num_byzantine(len(vectors)), 1)
    )


@AGGREGATORS.implements(MultiKrumSpec)
def multi_krum_aggregator(spec: MultiKrumSpec) -> Aggregator:
    """Return the aggregator; it holds all updates of a cohort."""
    return Gathering(
        spec, lambda vectors, _: multi_krum(vectors, spec.num_byzantine(len(vectors)), spec.keep)
    )

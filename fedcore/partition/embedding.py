"""Embedding skew: like Dirichlet, but over clusters of inputs instead of labels.

Source: Borazjani et al., "Redefining non-IID Data in Federated Learning for Computer Vision Tasks",
2025, arXiv:2503.14553. Paper to code: e_i is the last hidden layer of ``embedder``, M is
``clusters``, r is the share of each cluster, P is ``mixes``. ``solve`` is the paper's: sizes follow
from P and some examples stay unused. ``fill`` uses all of them and is our choice for everyday use.
"""

from __future__ import annotations

import numpy as np
import structlog

from fedcore.partition.base import (
    PARTITIONERS,
    Floats,
    Indices,
    Material,
    Parts,
    require_enough_examples,
)
from fedcore.partition.dirichlet import by_class, draw_mixes, fill_clients
from fedcore.partition.embedder import find_clusters
from fedcore.spec.data import EmbeddingPartitionSpec

MAX_DRAWS = 1000
log = structlog.get_logger(__name__)


@PARTITIONERS.implements(EmbeddingPartitionSpec)
def divide_embedding(spec: EmbeddingPartitionSpec, material: Material) -> Parts:
    """Return parts with skewed inputs; proportions are drawn once and used for both splits.

    Raises:
        PartitionError: If there are too few examples for all clients.
    """
    dataset, random = material.dataset, material.random
    require_enough_examples(spec, dataset)
    found = find_clusters(dataset, spec.clusters, material.seed, material.cache)
    train = by_class(found.train.numpy(), found.count, random)
    test = by_class(found.test.numpy(), found.count, random)
    if spec.mode == "solve":
        solved = _solve(spec, [len(members) for members in train], random)
        if solved is not None:
            mixes, sizes = solved
            share = len(dataset.test) / len(dataset.train)
            return Parts(_take(train, mixes, sizes), _take(test, mixes, sizes * share))
        log.warning("no mix could be solved, so clients are filled instead", draws=MAX_DRAWS)
    return fill_clients(train, test, spec.clients, spec.alpha, random)


def _solve(
    spec: EmbeddingPartitionSpec, counts: list[int], random: np.random.Generator
) -> tuple[Floats, Floats] | None:
    """Return mixes and sizes that the clusters can serve, or None if no draw allows any.

    Sizes are those for which the clients together come closest to using up every cluster.
    """
    available = np.asarray(counts, dtype=np.float64)
    for _ in range(MAX_DRAWS):
        mixes = draw_mixes(spec.clients, spec.alpha, counts, random)
        sizes = np.floor(np.linalg.pinv(mixes.T) @ available)
        if sizes.min() < spec.min_size or sizes.sum() > available.sum():
            continue
        taken = np.floor(sizes[:, None] * mixes)
        if (sizes @ mixes <= available).all() and taken.sum(1).min() >= 1:
            return mixes, sizes
    return None


def _take(clusters: list[Indices], mixes: Floats, sizes: Floats) -> list[Indices]:
    """Return for each client its share of each cluster, without replacement."""
    wanted = np.floor(sizes[:, None] * mixes + 1e-9).astype(np.int64)
    ends = np.cumsum(wanted, axis=0)
    # Only in the test split, whose clusters are no exact copy of those for training, can a cluster
    # run out before the last client.
    pieces = [
        np.split(members, np.minimum(ends[:, number], len(members)))[:-1]
        for number, members in enumerate(clusters)
    ]
    return [np.concatenate(parts) for parts in zip(*pieces, strict=True)]

"""Quantity skew: the same mix of labels for all, but very different amounts.

Source: Li et al., "Federated Learning on Non-IID Data Silos: An Experimental Study" (NIID-Bench),
ICDE 2022, arXiv:2102.02079, section 4.3: sizes n * q with q ~ Dir(beta). The power law, sizes
proportional to k ** -exponent, is our addition.
"""

from __future__ import annotations

import numpy as np

from fedcore.errors import PartitionError
from fedcore.partition.base import (
    PARTITIONERS,
    Floats,
    Indices,
    Material,
    Parts,
    require_enough_examples,
)
from fedcore.spec.data import QuantityPartitionSpec

MAX_DRAWS = 1000


@PARTITIONERS.implements(QuantityPartitionSpec)
def divide_quantity(spec: QuantityPartitionSpec, material: Material) -> Parts:
    """Return random parts of very different sizes; both splits have the same shares.

    Raises:
        PartitionError: If some client cannot get ``min_size`` training examples.
    """
    dataset, random = material.dataset, material.random
    require_enough_examples(spec, dataset)
    if spec.mode == "power_law":
        shares = _power_law(spec, len(dataset.train))
    else:
        shares = _draw_shares(spec, len(dataset.train), random)
    return Parts(
        _cut(random.permutation(len(dataset.train)), shares),
        _cut(random.permutation(len(dataset.test)), shares),
    )


def _power_law(spec: QuantityPartitionSpec, total: int) -> Floats:
    """Return shares that fall with the number of the client."""
    weights = np.arange(1, spec.clients + 1, dtype=np.float64) ** -spec.exponent
    shares: Floats = weights / weights.sum()
    smallest = int(_sizes(shares, total).min())
    if smallest < spec.min_size:
        raise PartitionError(
            f"the smallest of {spec.clients} clients would get {smallest} training examples, "
            f"fewer than {spec.min_size}",
            field="partition.exponent",
            fix="Lower partition.exponent, partition.clients or partition.min_size.",
        )
    return shares


def _draw_shares(spec: QuantityPartitionSpec, total: int, random: np.random.Generator) -> Floats:
    """Return Dirichlet shares that give every client enough.

    Raises:
        PartitionError: If no draw in ``MAX_DRAWS`` does.
    """
    smallest = 0
    for _ in range(MAX_DRAWS):
        shares = random.dirichlet(np.full(spec.clients, spec.beta))
        found = int(_sizes(shares, total).min())
        if found >= spec.min_size:
            return shares
        smallest = max(smallest, found)
    raise PartitionError(
        f"no Dirichlet({spec.beta:g}) draw out of {MAX_DRAWS} gave each of {spec.clients} clients "
        f"at least {spec.min_size} examples; the best left one with {smallest}",
        field="partition.beta",
        fix="Raise partition.beta, or lower partition.clients or partition.min_size.",
    )


def _ends(shares: Floats, total: int) -> Indices:
    ends = np.floor(np.cumsum(shares) * total + 0.5).astype(np.int64)
    ends[-1] = total  # a sum of shares may fall short of 1 by rounding
    return np.minimum(ends, total)


def _sizes(shares: Floats, total: int) -> Indices:
    return np.diff(_ends(shares, total), prepend=0)


def _cut(order: Indices, shares: Floats) -> list[Indices]:
    return np.split(order, _ends(shares, len(order))[:-1])

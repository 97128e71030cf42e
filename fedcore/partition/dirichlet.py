"""Label skew: class proportions drawn from a Dirichlet distribution, in two forms.

Source: ``per_class`` is Yurochkin et al., "Bayesian Nonparametric Federated Learning of Neural
Networks", ICML 2019, arXiv:1905.12022, with their rule that a client which already holds its equal
share gets no more. ``per_client`` is Hsu, Qi and Brown, "Measuring the Effects of Non-Identical
Data Distribution for Federated Visual Classification", 2019, arXiv:1909.06335, section 3. Their
concentrations are not comparable.
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
from fedcore.partition.strata import strata_of
from fedcore.spec.data import DirichletPartitionSpec

MAX_DRAWS = 1000


@PARTITIONERS.implements(DirichletPartitionSpec)
def divide_dirichlet(spec: DirichletPartitionSpec, material: Material) -> Parts:
    """Return parts with skewed labels; proportions are drawn once and used for both splits.

    Raises:
        PartitionError: If some client cannot get ``min_size`` training examples.
    """
    require_enough_examples(spec, material.dataset)
    random, strata = material.random, strata_of(material.dataset)
    train = by_class(strata.train, strata.count, random)
    test = by_class(strata.test, strata.count, random)
    if spec.mode == "per_class":
        shares = _draw_shares_of_classes(spec, [len(members) for members in train], random)
        return Parts(_cut_classes(train, shares), _cut_classes(test, shares))
    return fill_clients(train, test, spec.clients, spec.alpha, random)


def fill_clients(
    train: list[Indices],
    test: list[Indices],
    clients: int,
    alpha: float,
    random: np.random.Generator,
) -> Parts:
    """Return near-equal parts, each filled from its own mix of classes.

    Args:
        train: Shuffled training indices of each class.
        test: Shuffled test indices of each class.
        clients: Number of parts.
        alpha: Concentration of the mixes around the share that each class has in all.
        random: The only source of randomness.
    """
    mixes = draw_mixes(clients, alpha, [len(members) for members in train], random)
    return Parts(_fill_clients(train, mixes, random), _fill_clients(test, mixes, random))


def by_class(labels: Indices, num_classes: int, random: np.random.Generator) -> list[Indices]:
    """Return the shuffled indices of each class."""
    order = random.permutation(len(labels))
    return [order[labels[order] == label] for label in range(num_classes)]


def _draw_shares_of_classes(
    spec: DirichletPartitionSpec, class_sizes: list[int], random: np.random.Generator
) -> Floats:
    """Return the share of each class that each client gets, shape (classes, clients).

    Raises:
        PartitionError: If no draw in ``MAX_DRAWS`` gives every client ``min_size`` examples.
    """
    smallest = 0
    for _ in range(MAX_DRAWS):
        shares, sizes = _draw_shares_once(spec, class_sizes, random)
        if int(sizes.min()) >= spec.min_size:
            return shares
        smallest = max(smallest, int(sizes.min()))
    raise PartitionError(
        f"no Dirichlet({spec.alpha:g}) draw out of {MAX_DRAWS} gave each of {spec.clients} clients "
        f"at least {spec.min_size} examples; the best left one with {smallest}",
        field="partition.alpha",
        fix="Raise partition.alpha, lower partition.clients or partition.min_size, or set "
        "partition.mode to per_client.",
    )


def _draw_shares_once(
    spec: DirichletPartitionSpec, class_sizes: list[int], random: np.random.Generator
) -> tuple[Floats, Indices]:
    equal_share = sum(class_sizes) / spec.clients
    sizes = np.zeros(spec.clients, dtype=np.int64)
    shares = np.empty((len(class_sizes), spec.clients))
    for label, class_size in enumerate(class_sizes):
        drawn = random.dirichlet(np.full(spec.clients, spec.alpha))
        open_to_more = drawn * (sizes < equal_share)
        total = open_to_more.sum()
        shares[label] = open_to_more / total if total > 0 else drawn
        sizes += np.diff(_cuts(shares[label], class_size), prepend=0)
    return shares, sizes


def _cuts(shares: Floats, size: int) -> Indices:
    """Return where the parts end when ``size`` things are cut in these proportions."""
    ends = np.floor(np.cumsum(shares) * size).astype(np.int64)
    ends[-1] = size  # a sum of shares may fall short of 1 by rounding
    return np.minimum(ends, size)


def _cut_classes(classes: list[Indices], shares: Floats) -> list[Indices]:
    pieces = [
        np.split(members, _cuts(share, len(members))[:-1])
        for members, share in zip(classes, shares, strict=True)
    ]
    return [np.concatenate(parts) for parts in zip(*pieces, strict=True)]


def draw_mixes(
    clients: int, alpha: float, class_sizes: list[int], random: np.random.Generator
) -> Floats:
    """Return the class mix of each client, shape (clients, classes)."""
    prior = np.asarray(class_sizes) / sum(class_sizes)
    mixes = np.zeros((clients, len(class_sizes)))
    present = prior > 0  # the distribution is not defined for a class that has no examples
    mixes[:, present] = random.dirichlet(alpha * prior[present], clients)
    return mixes


def _fill_clients(
    classes: list[Indices], mixes: Floats, random: np.random.Generator
) -> list[Indices]:
    """Return near-equal parts; each client draws from its own mix until a class runs out."""
    left = np.array([len(members) for members in classes])
    total, clients = int(left.sum()), len(mixes)
    parts = []
    for client, mix in enumerate(mixes):
        size = total // clients + (client < total % clients)
        counts = _draw_counts(mix, size, left, random)
        first = [len(members) for members in classes] - left
        taken = [
            members[start : start + count]
            for members, start, count in zip(classes, first, counts, strict=True)
        ]
        left = left - counts
        parts.append(np.concatenate(taken))
    return parts


def _draw_counts(mix: Floats, size: int, left: Indices, random: np.random.Generator) -> Indices:
    """Return how many of each class a client takes, never more than are left.

    Draws that hit an exhausted class are repeated among the others, which has the same law as
    drawing one by one and renormalising whenever a class runs out.
    """
    counts = np.zeros_like(left)
    while (missing := size - int(counts.sum())) > 0:
        weights = np.where(counts < left, mix, 0.0)
        if weights.sum() <= 0:  # only classes that the client does not want are left
            weights = (left - counts).astype(np.float64)
        drawn = random.multinomial(missing, weights / weights.sum())
        counts = np.minimum(counts + drawn, left)
    return counts

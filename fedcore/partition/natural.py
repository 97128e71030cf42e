"""Natural clients: one per real owner of data.

Source: the idea of LEAF, Caldas et al. 2018, arXiv:1812.01097: a writer, a speaker, a device is a
client. Which rows a client gets depends on their owner alone, not on the order of the rows.
"""

from __future__ import annotations

import numpy as np

from fedcore.data.groups import NOBODY, Groups
from fedcore.errors import PartitionError
from fedcore.partition.base import PARTITIONERS, Indices, Material, Parts
from fedcore.spec.data import NaturalPartitionSpec

#: Name of the client that small owners are merged into.
REST = "(rest)"


@PARTITIONERS.implements(NaturalPartitionSpec)
def divide_natural(spec: NaturalPartitionSpec, material: Material) -> Parts:
    """Return one client per owner, in the order of their names; a merged rest comes last.

    Examples of owners that are not taken are left out, in training and testing.

    Raises:
        PartitionError: If the data have no such owners, or none has enough examples.
    """
    groups = _find_groups(spec, material)
    train, test = groups.train.cpu().numpy(), groups.test.cpu().numpy()
    sizes = np.bincount(train[train != NOBODY], minlength=len(groups.names))
    is_large = sizes >= spec.min_size
    small_train, small_test = (_is_in(owner, ~is_large) for owner in (train, test))
    is_merged = spec.small == "merge" and int(small_train.sum()) >= spec.min_size
    chosen = _choose(spec, sizes, spec.clients - is_merged, material.random)
    if len(chosen) == 0 and not is_merged:
        raise PartitionError(
            f"no owner has {spec.min_size} training examples; the largest has {sizes.max()}",
            field="partition.min_size",
            fix=f"Set partition.min_size to at most {sizes.max()}.",
        )
    parts = Parts(
        [np.flatnonzero(train == owner) for owner in chosen],
        [np.flatnonzero(test == owner) for owner in chosen],
        tuple(groups.names[owner] for owner in chosen),
    )
    if not is_merged:
        return parts
    return Parts(
        [*parts.train, np.flatnonzero(small_train)],
        [*parts.test, np.flatnonzero(small_test)],
        (*parts.names, REST),
    )


def _find_groups(spec: NaturalPartitionSpec, material: Material) -> Groups:
    known = material.dataset.groups
    column = spec.by or next(iter(known), None)
    if column is None or column not in known:
        wanted = "owners" if column is None else f"owners by {column!r}"
        fix = f"Use one of: {', '.join(known)}." if known else "Use another partition."
        raise PartitionError(
            f"the examples of {material.dataset.name} have no {wanted}",
            field="partition.by" if spec.by else "partition.kind",
            fix=fix,
        )
    return known[column]


def _is_in(owners: Indices, wanted: np.ndarray[tuple[int], np.dtype[np.bool]]) -> Indices:
    """Return which examples have a wanted owner, or none at all."""
    # The added last element is what NOBODY, which is -1, points at.
    return np.append(wanted, True)[owners]


def _choose(
    spec: NaturalPartitionSpec, sizes: Indices, most: int, random: np.random.Generator
) -> Indices:
    """Return the owners that become clients, sorted by number and so by name."""
    large = np.flatnonzero(sizes >= spec.min_size)
    if len(large) <= most:
        return large
    if spec.choose == "random":
        return np.sort(random.choice(large, most, replace=False))
    largest_first = large[np.argsort(-sizes[large], kind="stable")]
    return np.sort(largest_first[:most])

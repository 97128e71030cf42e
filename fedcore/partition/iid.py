"""IID: a random permutation cut into parts whose sizes differ by at most one."""

from __future__ import annotations

import numpy as np

from fedcore.partition.base import PARTITIONERS, Material, Parts, require_enough_examples
from fedcore.spec.data import IidPartitionSpec, PartitionSpec


@PARTITIONERS.implements(IidPartitionSpec)
def divide_evenly(spec: PartitionSpec, material: Material) -> Parts:
    """Return near-equal random parts of both splits.

    Raises:
        PartitionError: If there are more clients than training examples.
    """
    dataset, random = material.dataset, material.random
    require_enough_examples(spec, dataset)
    return Parts(
        np.array_split(random.permutation(len(dataset.train)), spec.clients),
        np.array_split(random.permutation(len(dataset.test)), spec.clients),
    )

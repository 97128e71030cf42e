"""IID: a random permutation cut into parts whose sizes differ by at most one."""

from __future__ import annotations

import numpy as np

from fedcore.data.dataset import Dataset
from fedcore.errors import PartitionError
from fedcore.partition.base import PARTITIONERS, Indices
from fedcore.spec.data import IidPartitionSpec


@PARTITIONERS.implements(IidPartitionSpec)
def divide_iid(
    spec: IidPartitionSpec, dataset: Dataset, random: np.random.Generator
) -> tuple[list[Indices], list[Indices]]:
    """Return near-equal random parts of both splits.

    Raises:
        PartitionError: If there are more clients than training examples.
    """
    if spec.clients > len(dataset.train):
        raise PartitionError(
            f"{spec.clients} clients cannot share {len(dataset.train)} training examples",
            field="partition.clients",
            fix=f"Set partition.clients to at most {len(dataset.train)}.",
        )
    return (
        np.array_split(random.permutation(len(dataset.train)), spec.clients),
        np.array_split(random.permutation(len(dataset.test)), spec.clients),
    )

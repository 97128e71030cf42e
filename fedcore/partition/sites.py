"""One client per site: each has what it has, in the order in which it has it."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from fedcore.data.dataset import Dataset
from fedcore.data.sites import Holding
from fedcore.errors import PartitionError
from fedcore.partition.base import PARTITIONERS, Material, Partition, Parts, Shares
from fedcore.spec.data import PartitionSpec, SitesPartitionSpec


def shares_of_sites(holdings: Sequence[Holding]) -> Partition:
    """Return the partition of a run on sites, as its server sees it."""
    return Partition(
        _in_a_row([holding.num_train for holding in holdings]),
        _in_a_row([holding.num_test for holding in holdings]),
        tuple(holding.name for holding in holdings),
    )


def own_share(dataset: Dataset, client_id: int, num_clients: int) -> Partition:
    """Return the partition as one site sees it: all that is there is its own."""
    train, test = (
        _in_a_row([len(split) if client == client_id else 0 for client in range(num_clients)])
        for split in (dataset.train, dataset.test)
    )
    return Partition(train, test)


def _in_a_row(sizes: Sequence[int]) -> Shares:
    starts = [0]
    for size in sizes:
        starts.append(starts[-1] + size)
    return Shares(torch.arange(starts[-1]), tuple(starts))


@PARTITIONERS.implements(SitesPartitionSpec)
def _not_divided(spec: PartitionSpec, material: Material) -> Parts:  # noqa: ARG001
    raise PartitionError(
        "sites have their examples; nothing is divided among them",
        field="partition.kind",
        fix="Choose another partition, or a data set on sites.",
    )

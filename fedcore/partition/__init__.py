"""How the examples of a data set are divided among the clients."""

# Importing a module registers its partitioners.
from fedcore.partition import (  # noqa: F401
    dirichlet,
    embedding,
    iid,
    natural,
    quantity,
    shards,
    sites,
)
from fedcore.partition.base import PARTITIONERS, Partition, Shares, divide
from fedcore.partition.features import seen_by_clients
from fedcore.partition.report import PartitionReport, report

__all__ = [
    "PARTITIONERS",
    "Partition",
    "PartitionReport",
    "Shares",
    "divide",
    "report",
    "seen_by_clients",
]

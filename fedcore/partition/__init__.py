"""How the examples of a data set are divided among the clients."""

from fedcore.partition import dirichlet, iid  # noqa: F401  (importing registers them)
from fedcore.partition.base import PARTITIONERS, Partition, Shares, divide

__all__ = ["PARTITIONERS", "Partition", "Shares", "divide"]

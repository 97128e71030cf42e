"""Federated methods, one file each."""

from fedcore.algorithms import (  # noqa: F401  (importing registers them)
    fedavg,
    feddyn,
    fednova,
    fedopt,
    fedprox,
    fedsgd,
    moon,
    scaffold,
)
from fedcore.algorithms.base import METHODS, Method, MethodContext

__all__ = ["METHODS", "Method", "MethodContext"]

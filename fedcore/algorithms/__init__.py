"""Federated methods, one file each."""

from fedcore.algorithms import fedavg  # noqa: F401  (importing registers it)
from fedcore.algorithms.base import METHODS, Method, MethodContext

__all__ = ["METHODS", "Method", "MethodContext"]

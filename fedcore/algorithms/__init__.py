"""Federated methods, one file each."""

from fedcore.algorithms import (  # noqa: F401  (importing registers them)
    ditto,
    fedavg,
    fedbn,
    feddyn,
    fedgh,
    fedit,
    fedkseed,
    fednova,
    fedopt,
    fedper,
    fedprox,
    fedrep,
    fedsgd,
    flora,
    frl,
    lg_fedavg,
    moon,
    ocfl,
    scaffold,
)
from fedcore.algorithms.base import METHODS, Method, MethodContext

__all__ = ["METHODS", "Method", "MethodContext"]

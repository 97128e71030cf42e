"""Federated methods, one file each."""

from fedcore.algorithms import (  # noqa: F401  (importing registers them)
    async_fedavg,
    dfedsam,
    ditto,
    fedavg,
    fedbn,
    fedbuff,
    feddyn,
    fedfix,
    fedgh,
    fedit,
    fedkseed,
    fednova,
    fedopt,
    fedper,
    fedprox,
    fedrep,
    fedsgd,
    fedspeed,
    fedstale,
    fedvarp,
    flora,
    frl,
    lg_fedavg,
    moon,
    ocfl,
    scaffold,
)
from fedcore.algorithms.base import METHODS, Method, MethodContext
from fedcore.algorithms.population import Population

__all__ = ["METHODS", "Method", "MethodContext", "Population"]

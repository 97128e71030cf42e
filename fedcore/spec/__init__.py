"""The one description of a run, free of torch, so that a web process can load it."""

from fedcore.spec.base import Choice, Spec
from fedcore.spec.catalogue import CatalogueEntry, catalogue
from fedcore.spec.documents import load_yaml
from fedcore.spec.estimate import Estimate, estimate
from fedcore.spec.problems import Problem, SpecError, problems_of
from fedcore.spec.run import CheckResult, RunSpec, check
from fedcore.spec.sweep import SweepCheck, SweepSpec, check_sweep

__all__ = [
    "CatalogueEntry",
    "CheckResult",
    "Choice",
    "Estimate",
    "Problem",
    "RunSpec",
    "Spec",
    "SpecError",
    "SweepCheck",
    "SweepSpec",
    "catalogue",
    "check",
    "check_sweep",
    "estimate",
    "load_yaml",
    "problems_of",
]

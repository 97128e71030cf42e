"""How the updates of a cohort become one."""

from fedcore.aggregators import mean  # noqa: F401  (importing registers it)
from fedcore.aggregators.base import AGGREGATORS, Accumulator, Aggregator, merge_in_tree

__all__ = ["AGGREGATORS", "Accumulator", "Aggregator", "merge_in_tree"]

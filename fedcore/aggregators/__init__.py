"""How the updates of a cohort become one."""

from fedcore.aggregators import (  # noqa: F401  (importing registers them)
    bulyan,
    clipping,
    geometric_median,
    krum,
    mean,
    order_statistics,
)
from fedcore.aggregators.base import AGGREGATORS, Accumulator, Aggregator, merge_in_tree

__all__ = ["AGGREGATORS", "Accumulator", "Aggregator", "merge_in_tree"]

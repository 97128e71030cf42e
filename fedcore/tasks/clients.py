"""How well a model does on each client, and how alike the clients fare.

The measures follow Li et al., "Fair Resource Allocation in Federated Learning", ICLR 2020,
arXiv:1905.10497, and Jain, Chiu and Hawe 1984 for the index.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

#: One client in so many counts as the worst off.
WORST_ONE_IN = 10


def spread(
    values: Sequence[float], *, name: str, higher_is_better: bool, whose: str = "client"
) -> dict[str, float]:
    """Return how a metric is distributed over the clients that have test examples.

    Args:
        values: One number per client; every client counts the same.
        name: Metric that they are values of, such as ``accuracy``.
        higher_is_better: Which end is the bad one.
        whose: First word of the figures' names.

    Returns:
        ``client_<name>_mean``, ``_worst_tenth`` (mean of the worst tenth, or of the worst client),
        ``_std`` (over the clients, not an estimate for more) and, for metrics that cannot be
        negative, ``_jain``: 1 when all fare alike, 1 / clients when one has everything. Empty
        without clients.
    """
    if not values:
        return {}
    count = len(values)
    mean = math.fsum(values) / count
    worst_first = sorted(values, reverse=not higher_is_better)
    num_worst = max(1, count // WORST_ONE_IN)
    squares = math.fsum(value * value for value in values)
    report = {
        "mean": mean,
        "worst_tenth": math.fsum(worst_first[:num_worst]) / num_worst,
        "std": math.sqrt(math.fsum((value - mean) ** 2 for value in values) / count),
    }
    if min(values) >= 0:
        report["jain"] = (mean * count) ** 2 / (count * squares) if squares > 0 else 1.0
    return {f"{whose}_{name}_{key}": value for key, value in report.items()}

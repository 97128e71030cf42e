"""Fewer points that draw the same curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Metrics = Mapping[str, float | None]


def chosen_points(series: Sequence[Metrics], max_points: int) -> list[int]:
    """Return which points to keep, in order, at most ``max_points`` of them.

    The series is cut into equal stretches, and of each stretch the points stay where any metric is
    lowest or highest: no peak that a full drawing would show is lost, for any of the metrics. The
    first and the last point always stay.

    Args:
        series: The metrics of each point; a metric may be missing or null at some of them.
        max_points: How many to keep, at least 4.
    """
    count = len(series)
    if count <= max_points:
        return list(range(count))
    # Per stretch a metric takes two points; with more metrics than fit, the first ones decide.
    names = sorted({name for metrics in series for name in metrics})[: (max_points - 2) // 2]
    stretches = (max_points - 2) // max(2 * len(names), 1)
    kept = {0, count - 1}
    for stretch in range(stretches):
        start, end = stretch * count // stretches, (stretch + 1) * count // stretches
        for name in names:
            known = [
                (value, index)
                for index in range(start, end)
                if (value := series[index].get(name)) is not None
            ]
            if known:
                kept.add(min(known)[1])
                kept.add(max(known)[1])
    return sorted(kept)

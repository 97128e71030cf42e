"""Examples held out for testing where a data set has no test split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fedcore.rng import Purpose, numpy_rng

Indices = np.ndarray[Any, np.dtype[np.int64]]


def hold_out(count: int, fraction: float) -> tuple[Indices, Indices]:
    """Return which of ``count`` rows are for training and which for testing, in shuffled order.

    The same rows whatever the seed of the run, so that runs with different seeds are tested alike.
    At least one row is on each side if there are two.
    """
    order = numpy_rng(0, Purpose.DATASET).permutation(count)
    num_test = min(max(round(count * fraction), 1), max(count - 1, 0))
    return order[num_test:], order[:num_test]


def hold_out_of_each(owners: Sequence[str], fraction: float) -> tuple[Indices, Indices]:
    """Return rows for training and for testing with the same share of each owner's rows held out.

    Rows keep their order inside each split. Which rows are chosen depends on an owner's own rows
    alone, not on the other owners'.
    """
    by_owner: dict[str, list[int]] = {}
    for row, owner in enumerate(owners):
        by_owner.setdefault(owner, []).append(row)
    train: list[Indices] = []
    test: list[Indices] = []
    for rows in by_owner.values():
        kept, held = hold_out(len(rows), fraction)
        train.append(np.asarray(rows)[kept])
        test.append(np.asarray(rows)[held])
    return np.sort(np.concatenate(train)), np.sort(np.concatenate(test))

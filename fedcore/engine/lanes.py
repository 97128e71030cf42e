"""How a cohort is cut into pieces of work that can be done anywhere, in any order.

A lane is a few clients whose updates are folded together, one after the other; the results of the
lanes are merged in a tree. Which client is in which lane, and where, follows from the cohort alone,
never from the machine or from who is first. So one process and any number of processes add up the
same numbers in the same order, and get the same bits.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

#: Lanes of a small cohort at most; larger ones get one per so many clients. Many lanes share out
#: evenly; each costs one more model in memory and one merge.
MIN_LANES = 16
CLIENTS_PER_LANE = 10
#: All partial results together stay below this, unless that leaves fewer lanes than ``FEW_LANES``.
PARTIAL_BYTES = 2 << 30
FEW_LANES = 4

Lanes = tuple[tuple[int, ...], ...]


def cut_into_lanes(sizes: Sequence[int], model_bytes: int) -> Lanes:
    """Return the positions in each lane of a cohort whose clients hold ``sizes`` examples.

    Each client goes to the lane with the least work so far, largest first, so the lanes take about
    the same time. With no more clients than lanes, each is a lane of its own, in their order.
    """
    count = num_lanes(len(sizes), model_bytes)
    if count == len(sizes):
        return tuple((position,) for position in range(count))
    lanes: list[list[int]] = [[] for _ in range(count)]
    loads = [(0, lane) for lane in range(count)]
    for position in sorted(range(len(sizes)), key=lambda position: (-sizes[position], position)):
        load, lane = heapq.heappop(loads)
        lanes[lane].append(position)
        heapq.heappush(loads, (load + sizes[position], lane))
    return tuple(tuple(lane) for lane in lanes)


def num_lanes(num_clients: int, model_bytes: int) -> int:
    """Return how many lanes a cohort has."""
    wanted = max(MIN_LANES, num_clients // CLIENTS_PER_LANE)
    affordable = max(FEW_LANES, PARTIAL_BYTES // max(model_bytes, 1))
    return min(num_clients, wanted, affordable)


def largest_first(lanes: Lanes, sizes: Sequence[int]) -> list[int]:
    """Return the lanes in the order in which to start them: what takes longest comes first."""
    loads = [sum(sizes[position] for position in lane) for lane in lanes]
    return sorted(range(len(lanes)), key=lambda lane: (-loads[lane], lane))

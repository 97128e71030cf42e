"""A round in parts that are trained apart: which lanes go together, and what they come to.

Lanes are merged in a tree (``merge_in_tree``). A chunk is one branch of that tree, so merging
chunks adds up the same numbers in the same order as one process does, and gets the same bits,
however the round was cut and whoever was first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fedcore.clients.training import ShouldStop
from fedcore.engine.context import RunContext
from fedcore.engine.executor import CohortWork, Executor
from fedcore.engine.intake import Progress, join
from fedcore.engine.lanes import Lanes
from fedcore.engine.planning import RoundPlan
from fedcore.engine.report import ClientReport

#: Chunks per worker that a round should have: more share out more evenly, each costs a transfer.
CHUNKS_PER_WORKER = 2
#: Chunks so short are not made shorter for the sake of others who might help.
SHORT_S = 0.5
#: A longer one is much work to lose with its worker.
LONGEST_S = 15.0
#: What each chunk costs its worker beside the training: it is claimed, stored and recorded.
CHUNK_COST_S = 0.02


@dataclass(frozen=True)
class Chunk:
    """Some lanes of a round, trained by one worker.

    Attributes:
        first_lane: First of them.
        end_lane: The lane after the last of them.
        num_clients: Clients in them.
    """

    first_lane: int
    end_lane: int
    num_clients: int


@dataclass(frozen=True)
class Trained:
    """What a part of a round came to.

    Attributes:
        payload: As bytes, to be handed to ``Engine.finish_round`` anywhere.
        num_updates: Clients whose updates are in it.
    """

    payload: bytes
    num_updates: int


@dataclass(frozen=True)
class Pace:
    """What is known of how fast chunks are done, before a round is cut.

    Attributes:
        seconds_per_client: Measured in earlier rounds; None before the first.
        num_workers: Workers that took part lately, at least one.
    """

    seconds_per_client: float | None = None
    num_workers: int = 1


def cut_into_chunks(lanes: Lanes, pace: Pace) -> tuple[Chunk, ...]:
    """Return the chunks of a round, each a branch of the tree in which lanes are merged.

    There is at least one, which is empty if nobody takes part, so that somebody ends the round.
    """
    if not lanes:
        return (Chunk(0, 0, 0),)
    size = _lanes_per_chunk(lanes, pace)
    return tuple(
        Chunk(first, end, sum(len(lane) for lane in lanes[first:end]))
        for first, end in (
            (first, min(first + size, len(lanes))) for first in range(0, len(lanes), size)
        )
    )


def _lanes_per_chunk(lanes: Lanes, pace: Pace) -> int:
    """Return a power of two: that with which all workers are done soonest.

    Larger ones are not looked at whose chunks are too long, or too few to be shared out.
    """
    num_lanes, workers = len(lanes), pace.num_workers
    largest = _power_below(-(-num_lanes // max(workers, 2)))
    if pace.seconds_per_client is None:
        return largest
    lane_s = sum(len(lane) for lane in lanes) * pace.seconds_per_client / num_lanes
    wanted_s = num_lanes * lane_s / (CHUNKS_PER_WORKER * workers)
    most_s = min(max(wanted_s, SHORT_S), LONGEST_S)
    sizes = [1]
    while sizes[-1] < largest and 2 * sizes[-1] * lane_s <= most_s:
        sizes.append(2 * sizes[-1])
    return min(reversed(sizes), key=lambda size: _seconds(num_lanes, size, lane_s, workers))


def _seconds(num_lanes: int, size: int, lane_s: float, workers: int) -> float:
    """Return when the last of equally fast workers is done, each taking a chunk when it is free."""
    whole, rest = divmod(num_lanes, size)
    each, more = divmod(whole, workers)
    if more:
        each, rest = each + 1, 0  # the rest goes to a worker with a chunk less, and is shorter
    return each * (size * lane_s + CHUNK_COST_S) + (rest * lane_s + CHUNK_COST_S if rest else 0.0)


def _power_below(number: int) -> int:
    """Return the largest power of two that is not above a number, and at least 1."""
    return 1 << max(number, 1).bit_length() - 1


def train_chunk(
    context: RunContext,
    planned: RoundPlan,
    executor: Executor,
    chunk: Chunk,
    should_stop: ShouldStop,
) -> Progress:
    """Return what the lanes of a chunk come to, folded.

    Raises:
        Interrupted: If ``should_stop`` said so.
    """
    whole = planned.work
    lanes = whole.lanes[chunk.first_lane : chunk.end_lane]
    done = dict(executor.train(CohortWork(whole.tasks, lanes, whole.asked), should_stop))
    return join(context, whole.asked, [done[lane] for lane in range(len(lanes))])


def join_chunks(
    context: RunContext, planned: RoundPlan, parts: Mapping[Chunk, Progress | None]
) -> Progress:
    """Return what a whole round came to; the clients of a part that is missing are late."""
    ordered = sorted(parts.items(), key=lambda item: item[0].first_lane)
    whole = planned.work
    found = [
        _late(whole, whole.lanes[chunk.first_lane : chunk.end_lane]) if part is None else part
        for chunk, part in ordered
    ]
    return join(context, whole.asked, found)


def _late(work: CohortWork, lanes: Sequence[Sequence[int]]) -> Progress:
    tasks = [work.tasks[position] for lane in lanes for position in lane]
    reports = [
        ClientReport(
            client_id=task.data.client_id,
            num_samples=len(task.data),
            loss=None,
            duration_s=0.0,
            bytes_up=0,
            bytes_down=task.bytes_down or 0,
            status="late",
            reason="its part of the round was not there within runtime.round_limit_s",
        )
        for task in tasks
    ]
    return Progress(work.asked.start(), reports)

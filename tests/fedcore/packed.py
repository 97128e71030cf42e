"""A pool without processes: tasks and results pass through shared memory as between two of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fedcore.aggregators import Accumulator
from fedcore.clients.training import ShouldStop
from fedcore.engine.context import RunContext
from fedcore.engine.executor import CohortWork, SequentialExecutor
from fedcore.engine.intake import Progress, take_in_lane
from fedcore.engine.pool.arena import Arena
from fedcore.engine.pool.packing import Packer, Unpacker


@dataclass(frozen=True, eq=False)
class PackedExecutor(SequentialExecutor):
    """Does the work of each lane with what its other side reads from an arena."""

    def train(self, work: CohortWork, should_stop: ShouldStop) -> Iterator[tuple[int, Progress]]:
        context = self.context
        empty = work.asked.start()
        is_foldable = type(empty) is Accumulator and not empty.sections
        for lane in range(len(work.lanes)):
            there, back = (_Way.of(context) for _ in range(2))
            packed = [there.sent(there.packer.task(task)) for task in work.of_lane(lane)]
            tasks = tuple(there.unpacker.task(task, context) for task in packed)
            outcomes = self.outcomes(tasks, should_stop)
            if is_foldable:
                progress = take_in_lane(context, work.asked, tasks, outcomes)
                yield lane, back.unpacker.progress(back.sent(back.packer.progress(progress)))
            else:
                arrived = (
                    back.unpacker.outcome(back.sent(back.packer.outcome(outcome)))
                    for outcome in outcomes
                )
                yield lane, take_in_lane(context, work.asked, work.of_lane(lane), arrived)


@dataclass(frozen=True)
class _Way:
    packer: Packer
    unpacker: Unpacker

    @classmethod
    def of(cls, context: RunContext) -> "_Way":
        arena = Arena.create()
        return cls(Packer(context.layout, arena), Unpacker(context.layout, arena))

    def sent(self, packed: Any) -> Any:
        return json.loads(json.dumps(packed))

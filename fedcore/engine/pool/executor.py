"""Lanes and test batches over the processes of a pool."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from multiprocessing.connection import Connection, wait
from time import monotonic

import torch
from torch import Tensor

from fedcore.aggregators import Accumulator
from fedcore.clients.trainer import Trainer
from fedcore.clients.training import Interrupted, ShouldStop
from fedcore.engine.context import RunContext
from fedcore.engine.evaluation import BATCH_SIZE, Portrait, score_portraits
from fedcore.engine.executor import CohortWork, full_name
from fedcore.engine.intake import Progress, take_in_lane
from fedcore.engine.lanes import largest_first
from fedcore.engine.pool.orders import Orders
from fedcore.engine.pool.packing import Packed, Packer, Unpacker, encoded, pack_schemas, receive
from fedcore.engine.pool.processes import Line, Processes
from fedcore.errors import WorkerLostError
from fedcore.params import Params

#: How often somebody who wants to stop is heard while all processes are at work.
_POLL_S = 0.02
#: So long a process may take to give up what it does.
_GIVE_UP_S = 0.5
#: Pieces of a test per process: more than one evens out, each costs a message.
_PIECES = 2


class PoolExecutor:
    """Shares lanes out one by one, those that take longest first."""

    def __init__(self, context: RunContext, trainer: Trainer, processes: Processes) -> None:
        self._context = context
        self._trainer = trainer
        self._processes = processes
        self._packer = Packer(context.layout, processes.inbox)

    @property
    def processes(self) -> Processes:
        """Who does the work."""
        return self._processes

    @property
    def name(self) -> str:
        """Return how it works."""
        return full_name(f"pool of {len(self._processes.lines)}", self._trainer)

    def train(self, work: CohortWork, should_stop: ShouldStop) -> Iterator[tuple[int, Progress]]:
        """Yield lanes as they are done.

        Raises:
            Interrupted: If ``should_stop`` said so.
            WorkerLostError: If a process has ended.
        """
        sizes = [len(task.data) for task in work.tasks]
        yield from self.train_lanes(work, largest_first(work.lanes, sizes), should_stop)

    def train_lanes(
        self, work: CohortWork, lanes: Iterable[int], should_stop: ShouldStop
    ) -> Iterator[tuple[int, Progress]]:
        """Yield some lanes as they are done, started in the order given.

        Raises:
            Interrupted: If ``should_stop`` said so.
            WorkerLostError: If a process has ended.
        """
        empty = work.asked.start()
        # Only a plain partial result can travel; other accumulators are made here.
        is_foldable = type(empty) is Accumulator and not empty.sections
        self._packer.forget()
        self._open(work)
        orders = [partial(self._order, work, lane, is_foldable=is_foldable) for lane in lanes]
        for line, answer in self._share_out(orders, should_stop):
            yield answer["lane"], self._progress(work, line, answer)

    def score(self, model: Params, should_stop: ShouldStop) -> Tensor:
        """Return what each test example adds to the metrics, batch by batch as in one process.

        Raises:
            Interrupted: If ``should_stop`` said so.
            WorkerLostError: If a process has ended.
        """
        packed = self._packer.section(model)
        starts = list(range(0, len(self._context.dataset.test), BATCH_SIZE))
        count = min(len(starts), _PIECES * len(self._processes.lines))
        orders: list[Callable[[], Packed]] = [
            partial(dict, do="score", model=packed, starts=starts[piece::count])
            for piece in range(count)
        ]
        tallies: dict[int, Tensor] = {}
        for line, answer in self._share_out(orders, should_stop):
            batches = line.outbox.get(answer["tallies"]).split(BATCH_SIZE)
            tallies.update(zip(answer["starts"], batches, strict=True))
        return torch.cat([tallies[start] for start in starts])

    def score_each(
        self, portraits: Iterable[Portrait], should_stop: ShouldStop
    ) -> Iterator[tuple[int, Tensor]]:
        """Yield per client what its own examples add to the metrics, with its own model.

        This process does it: all clients' examples together are one pass over the test split, and
        sending every model to another process would cost more.

        Raises:
            Interrupted: If ``should_stop`` said so.
        """
        return score_portraits(self._context, self._trainer, portraits, should_stop)

    def close(self) -> None:
        """End the processes."""
        self._processes.close()

    def _open(self, work: CohortWork) -> None:
        """Tell all processes what this round is about; they forget the last one."""
        message = {
            "do": "open",
            "round": work.asked.round_index,
            "expected": pack_schemas(work.asked.expected),
            "max_norm": work.asked.max_norm,
            "clip": work.asked.clip,
        }
        for line in self._processes.lines:
            self._write(line, encoded(message))
        for line in self._processes.lines:
            self._receive(line)

    def _order(self, work: CohortWork, lane: int, *, is_foldable: bool) -> dict[str, Packed]:
        tasks = [self._packer.task(task) for task in work.of_lane(lane)]
        return {"do": "train", "lane": lane, "fold": is_foldable, "tasks": tasks}

    def _progress(self, work: CohortWork, line: Line, answer: dict[str, Packed]) -> Progress:
        unpacker = Unpacker(self._context.layout, line.outbox)
        if "progress" in answer:
            return unpacker.progress(answer["progress"])
        outcomes = (unpacker.outcome(outcome) for outcome in answer["outcomes"])
        return take_in_lane(self._context, work.asked, work.of_lane(answer["lane"]), outcomes)

    def _share_out(
        self, orders: Iterable[Callable[[], Packed]], should_stop: ShouldStop
    ) -> Iterator[tuple[Line, dict[str, Packed]]]:
        """Give all processes orders until there are no more, and yield the answers as they come."""
        lines = self._processes.lines
        left, owed = Orders(orders, len(lines)), dict.fromkeys(lines, 0)
        try:
            while True:
                self._hand_out(left, owed)
                busy = {line.orders: line for line, count in owed.items() if count}
                if not busy:
                    return
                for line in self._answering(busy, should_stop):
                    owed[line] -= 1
                    yield line, self._receive(line)
        finally:
            self._recall(owed)

    def _hand_out(self, orders: Orders, owed: dict[Line, int]) -> None:
        """Give an order to everybody who has none, then one in advance."""
        for count, take in enumerate((orders.due, orders.early)):
            for line in [line for line, held in owed.items() if held == count]:
                order = take()
                if order is not None:
                    self._write(line, order)
                    owed[line] += 1

    def _answering(self, busy: dict[Connection, Line], should_stop: ShouldStop) -> list[Line]:
        """Return the processes that have an answer; wait until there is one."""
        while True:
            ready = wait(list(busy), _POLL_S)
            if ready:
                return [line for connection, line in busy.items() if connection in ready]
            if should_stop():
                raise Interrupted

    def _recall(self, owed: dict[Line, int]) -> None:
        """Let processes that still work give up; those that do not soon are ended."""
        at_work = {line.orders: count for line, count in owed.items() if count}
        if not at_work:
            return
        deadline = monotonic() + _GIVE_UP_S
        self._processes.stop.raise_()
        try:
            while at_work and (ready := wait(at_work, max(0.0, deadline - monotonic()))):
                for connection in ready:
                    if isinstance(connection, Connection):
                        receive(connection)
                        at_work[connection] -= 1
                at_work = {connection: count for connection, count in at_work.items() if count}
        except (EOFError, OSError):
            return  # the error that brought us here says more
        finally:
            self._processes.stop.lower()
        if at_work:  # in the middle of a batch that takes seconds
            self._processes.close()

    def _write(self, line: Line, message: bytes) -> None:
        try:
            line.orders.send_bytes(message)
        except OSError as error:
            raise self._processes.lost("between two tasks") from error

    def _receive(self, line: Line) -> dict[str, Packed]:
        try:
            answer = receive(line.orders)
        except (EOFError, OSError) as error:
            raise self._processes.lost("while it worked") from error
        if "error" in answer:
            raise WorkerLostError(f"a training process failed: {answer['error']}", at=answer["at"])
        return answer

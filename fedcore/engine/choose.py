"""Which executor does a round: measured while the run goes on.

One process and a pool of processes compute the same bits, so a run may change between them at any
moment, and does so by what it measures. Every run begins in this process. As soon as the rest of
the run looks longer than starting processes is worth, they are started beside it, and take over
when they are ready, be it in the middle of a round. If the pool then turns out to be slower, or a
process dies, the run goes on without it.

Stacking clients rounds differently, so that is never tried out: a GPU stacks, a CPU does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from time import monotonic, perf_counter

import structlog
from torch import Tensor

from fedcore.clients.trainer import Trainer
from fedcore.clients.training import Interrupted, ShouldStop
from fedcore.engine.context import RunContext
from fedcore.engine.device import num_cores
from fedcore.engine.evaluation import Portrait
from fedcore.engine.executor import CohortWork, Executor, SequentialExecutor
from fedcore.engine.intake import Progress
from fedcore.engine.lanes import largest_first
from fedcore.engine.pool import PoolExecutor, Processes
from fedcore.engine.stacked import StackedExecutor
from fedcore.environment import Folders
from fedcore.errors import DeviceError, WorkerLostError
from fedcore.params import Params

log = structlog.get_logger(__name__)

#: Seconds of work that must be left in one process before more are started. Starting costs two to
#: four seconds of one core, beside the work, and two processes save at most half of what is left.
WORTH_STARTING_S = 10.0
#: The pool is given up if, after so many rounds, it is slower than one process by this factor.
TRIAL_ROUNDS = 3
SLOWER = 1.2
_START_LIMIT_S = 120.0
#: How often somebody who wants to stop is heard meanwhile.
_POLL_S = 0.05


def make_executor(
    context: RunContext,
    trainer: Trainer,
    folders: Folders,
    should_stop: ShouldStop = lambda: False,
) -> Executor:
    """Return the executor that a spec asks for.

    Raises:
        DeviceError: If it does not work on the device.
        Interrupted: If ``should_stop`` said so while processes were started.
        WorkerLostError: If processes cannot be started.
    """
    wanted = context.spec.runtime.executor
    local = SequentialExecutor(context, trainer)
    is_cpu = context.device.type == "cpu"
    if wanted == "sequential" or context.spec.runtime.placement == "sites":
        return local
    if wanted == "stacked" or (wanted == "auto" and not is_cpu):
        return StackedExecutor(local)
    if not is_cpu:
        raise DeviceError(
            f"a pool of processes does not work on {context.device.type}",
            field="runtime.executor",
            fix="Set runtime.executor to auto, or runtime.device to cpu.",
        )
    # Workers share a machine, so by default none of them takes more than its core.
    is_shared = context.spec.runtime.placement == "workers"
    count = context.spec.runtime.processes or (1 if is_shared else num_cores())
    if wanted == "pool":
        processes = Processes(context.spec, folders, trainer.name, count)
        return _started_pool(context, trainer, processes, should_stop)
    return AutoExecutor(local, folders, count) if count > 1 else local


def _started_pool(
    context: RunContext, trainer: Trainer, processes: Processes, should_stop: ShouldStop
) -> PoolExecutor:
    """Return a pool once its processes are ready."""
    deadline = monotonic() + _START_LIMIT_S
    with ExitStack() as unless_ready:
        unless_ready.callback(processes.close)
        while not processes.is_ready(_POLL_S):
            if should_stop():
                raise Interrupted
            if monotonic() > deadline:
                raise WorkerLostError(
                    f"the training processes did not start within {_START_LIMIT_S:g} s"
                )
        unless_ready.pop_all()
    return PoolExecutor(context, trainer, processes)


@dataclass
class _Rate:
    """Measured seconds per example; a client's epochs count as part of its examples."""

    seconds: float = 0.0
    examples: int = 0
    rounds: int = 0

    def add(self, seconds: float, examples: int) -> None:
        self.seconds += seconds
        self.examples += examples

    @property
    def per_example(self) -> float:
        return self.seconds / max(self.examples, 1)


class AutoExecutor:
    """One process at first, a pool when that pays."""

    def __init__(self, local: SequentialExecutor, folders: Folders, count: int) -> None:
        self._local = local
        self._folders = folders
        self._count = count
        self._starting: Processes | None = None
        self._pool: PoolExecutor | None = None
        self._is_pool_allowed = True
        self._alone, self._together = _Rate(), _Rate()

    @property
    def name(self) -> str:
        """Return how it works at the moment."""
        return self._local.name if self._pool is None else self._pool.name

    @property
    def processes(self) -> Processes | None:
        """Processes that are starting or at work."""
        return self._starting if self._pool is None else self._pool.processes

    @property
    def has_processes(self) -> bool:
        """Whether there are any."""
        return self.processes is not None

    def wait_for_processes(self, timeout_s: float) -> None:
        """Wait until processes that were started are ready."""
        if self._starting is not None:
            self._starting.is_ready(timeout_s)

    def train(self, work: CohortWork, should_stop: ShouldStop) -> Iterator[tuple[int, Progress]]:
        """Yield lanes as they are done, those that take longest first.

        Raises:
            Interrupted: If ``should_stop`` said so.
        """
        sizes = [len(task.data) for task in work.tasks]
        left = largest_first(work.lanes, sizes)
        while left:
            self._take_up_pool()
            if self._pool is not None:
                for lane, progress in self._train_together(work, tuple(left), should_stop):
                    left.remove(lane)
                    yield lane, progress
                continue
            lane = left.pop(0)
            yield lane, self._train_alone(work, lane, should_stop)
            self._start_if_worth(work, [len(work.tasks[p].data) for p in _positions(work, left)])
        self._give_up_if_slower()

    def score(self, model: Params, should_stop: ShouldStop) -> Tensor:
        """Return what each test example adds to the metrics.

        Raises:
            Interrupted: If ``should_stop`` said so.
        """
        if self._pool is not None:
            try:
                return self._pool.score(model, should_stop)
            except WorkerLostError as error:
                self._give_up(str(error))
        return self._local.score(model, should_stop)

    def score_each(
        self, portraits: Iterable[Portrait], should_stop: ShouldStop
    ) -> Iterator[tuple[int, Tensor]]:
        """Yield per client what its own examples add to the metrics, with its own model.

        Raises:
            Interrupted: If ``should_stop`` said so.
        """
        return self._local.score_each(portraits, should_stop)

    def close(self) -> None:
        """End the processes, if there are any."""
        if self._pool is not None:
            self._pool.close()
        if self._starting is not None:
            self._starting.close()
        self._pool = self._starting = None

    def _train_alone(self, work: CohortWork, lane: int, should_stop: ShouldStop) -> Progress:
        began = perf_counter()
        progress = self._local.train_lane(work, lane, should_stop)
        examples = sum(len(task.data) for task in work.of_lane(lane))
        self._alone.add(perf_counter() - began, examples)
        return progress

    def _train_together(
        self, work: CohortWork, lanes: Sequence[int], should_stop: ShouldStop
    ) -> Iterator[tuple[int, Progress]]:
        """Yield some lanes; fewer if a process is lost."""
        if self._pool is None:
            return
        began = perf_counter()
        try:
            yield from self._pool.train_lanes(work, lanes, should_stop)
        except WorkerLostError as error:
            self._give_up(str(error))
            return
        examples = sum(len(work.tasks[position].data) for position in _positions(work, lanes))
        self._together.add(perf_counter() - began, examples)
        self._together.rounds += 1

    def _start_if_worth(self, work: CohortWork, sizes_left: Sequence[int]) -> None:
        """Start processes if the rest of the run would take long in this one."""
        if self._starting is not None or not self._is_pool_allowed or len(work.lanes) == 1:
            return
        spec = self._local.context.spec
        rounds_left = spec.rounds - work.asked.round_index - 1
        in_a_round = sum(len(task.data) for task in work.tasks)
        examples = sum(sizes_left) + rounds_left * in_a_round
        if examples * self._alone.per_example > WORTH_STARTING_S:
            count = min(self._count, len(work.lanes))
            self._starting = Processes(spec, self._folders, self._local.trainer.name, count)

    def _take_up_pool(self) -> None:
        """Use processes that were started, once they are ready."""
        if self._starting is None or self._pool is not None:
            return
        try:
            if self._starting.is_ready():
                self._pool = PoolExecutor(self._local.context, self._local.trainer, self._starting)
                self._starting = None
                log.info("training goes on in several processes", executor=self._pool.name)
        except WorkerLostError as error:
            self._give_up(str(error))

    def _give_up_if_slower(self) -> None:
        if self._pool is None or self._together.rounds < TRIAL_ROUNDS or not self._alone.examples:
            return
        if self._together.per_example > SLOWER * self._alone.per_example:
            self._give_up("they were slower than one process")

    def _give_up(self, reason: str) -> None:
        log.warning("training goes on in one process", reason=reason)
        self.close()
        self._is_pool_allowed = False


def _positions(work: CohortWork, lanes: Sequence[int]) -> list[int]:
    return [position for lane in lanes for position in work.lanes[lane]]

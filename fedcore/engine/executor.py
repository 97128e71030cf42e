"""Who does the work of a round: here, one client after another in this process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from fedcore.clients.trainer import AUTOGRAD, Trainer
from fedcore.clients.training import ShouldStop
from fedcore.clients.work import ClientTask, client_round
from fedcore.engine.context import RunContext
from fedcore.engine.evaluation import (
    BATCH_SIZE,
    Portrait,
    score_examples,
    score_portraits,
)
from fedcore.engine.intake import Asked, Outcome, Progress, take_in_lane, work_off
from fedcore.engine.lanes import Lanes
from fedcore.params import Params


@dataclass(frozen=True, eq=False)
class CohortWork:
    """The clients' part of a round.

    Attributes:
        tasks: What each client has to do.
        lanes: Positions in ``tasks`` that are folded together.
        asked: What updates must look like.
    """

    tasks: tuple[ClientTask, ...]
    lanes: Lanes
    asked: Asked

    def of_lane(self, lane: int) -> tuple[ClientTask, ...]:
        """Return the tasks of one lane, in the order in which they are folded."""
        return tuple(self.tasks[position] for position in self.lanes[lane])


class Executor(Protocol):
    """Does the clients' work of a round, and the test after it."""

    @property
    def name(self) -> str:
        """Return how it works, for reports."""

    def train(self, work: CohortWork, should_stop: ShouldStop) -> Iterator[tuple[int, Progress]]:
        """Yield the number of each lane and what came of it, in any order.

        Raises:
            Interrupted: If ``should_stop`` said so, which it is asked at every batch boundary.
        """

    def score(self, model: Params, should_stop: ShouldStop) -> Tensor:
        """Return what each test example adds to the metrics, (n, columns), on the CPU.

        Raises:
            Interrupted: As ``train``.
        """

    def score_each(
        self, portraits: Iterable[Portrait], should_stop: ShouldStop
    ) -> Iterator[tuple[int, Tensor]]:
        """Yield per client what its own examples add to the metrics, with its own model.

        Raises:
            Interrupted: As ``train``.
        """

    def close(self) -> None:
        """Give back processes and memory."""


@dataclass(frozen=True, eq=False)
class SequentialExecutor:
    """One client after another; the reference for all other executors."""

    context: RunContext
    trainer: Trainer

    @property
    def name(self) -> str:
        """Return how it works."""
        return full_name("sequential", self.trainer)

    def train(self, work: CohortWork, should_stop: ShouldStop) -> Iterator[tuple[int, Progress]]:
        """Yield the lanes in their order.

        Raises:
            Interrupted: If ``should_stop`` said so.
        """
        for lane in range(len(work.lanes)):
            yield lane, self.train_lane(work, lane, should_stop)

    def train_lane(self, work: CohortWork, lane: int, should_stop: ShouldStop) -> Progress:
        """Return what comes of one lane.

        Raises:
            Interrupted: If ``should_stop`` said so.
        """
        tasks = work.of_lane(lane)
        return take_in_lane(self.context, work.asked, tasks, self.outcomes(tasks, should_stop))

    def outcomes(self, tasks: tuple[ClientTask, ...], should_stop: ShouldStop) -> Iterator[Outcome]:
        """Yield what comes of each task, in their order.

        Raises:
            Interrupted: If ``should_stop`` said so.
        """
        return work_off(
            tasks,
            lambda task: client_round(
                self.context.method_of(task.data.client_id),
                task,
                should_stop,
                self.trainer,
                self.context.pipeline,
            ),
        )

    def score(self, model: Params, should_stop: ShouldStop) -> Tensor:
        """Return what each test example adds to the metrics.

        Raises:
            Interrupted: If ``should_stop`` said so.
        """
        starts = range(0, len(self.context.dataset.test), BATCH_SIZE)
        return score_examples(self.context, self.trainer, model, starts, should_stop)

    def score_each(
        self, portraits: Iterable[Portrait], should_stop: ShouldStop
    ) -> Iterator[tuple[int, Tensor]]:
        """Yield per client what its own examples add to the metrics, with its own model.

        Raises:
            Interrupted: If ``should_stop`` said so.
        """
        return score_portraits(self.context, self.trainer, portraits, should_stop)

    def close(self) -> None:
        """Do nothing: nothing is held."""


def full_name(executor: str, trainer: Trainer) -> str:
    """Return the name of an executor together with that of its trainer, unless it is the usual."""
    return executor if trainer.name == AUTOGRAD.name else f"{executor}, {trainer.name}"

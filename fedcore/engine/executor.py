"""Who does the clients' work: here, one client after another in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Protocol

from fedcore.algorithms.base import AnyMethod
from fedcore.clients.training import Interrupted, ShouldStop
from fedcore.clients.work import ClientResult, ClientTask, client_round


@dataclass(frozen=True, eq=False)
class ClientFailure:
    """A client whose work raised an exception."""

    error: Exception
    duration_s: float

    @property
    def reason(self) -> str:
        """The exception's class and message."""
        return f"{type(self.error).__name__}: {self.error}"


Outcome = ClientResult | ClientFailure


class Executor(Protocol):
    """Does the work of a cohort.

    Attributes:
        name: How it works, for reports.
    """

    @property
    def name(self) -> str:
        """Return how it works, for reports."""

    def run(
        self, tasks: Sequence[ClientTask], should_stop: ShouldStop
    ) -> Iterator[tuple[int, Outcome]]:
        """Yield the position of each task and what came of it, in any order.

        Raises:
            Interrupted: If ``should_stop`` said so, which it is asked at every batch boundary.
        """

    def close(self) -> None:
        """Give back processes and memory."""


@dataclass(frozen=True, eq=False)
class SequentialExecutor:
    """One client after another; the reference for all other executors."""

    method: AnyMethod

    @property
    def name(self) -> str:
        """Return how it works."""
        return "sequential"

    def run(
        self, tasks: Sequence[ClientTask], should_stop: ShouldStop
    ) -> Iterator[tuple[int, Outcome]]:
        """Yield the outcomes in the order of the tasks.

        Raises:
            Interrupted: If ``should_stop`` said so.
        """
        for position, task in enumerate(tasks):
            began = perf_counter()
            try:
                outcome: Outcome = client_round(self.method, task, should_stop)
            except Interrupted:
                raise
            except Exception as error:  # noqa: BLE001  (one client must not take the others down)
                outcome = ClientFailure(error, perf_counter() - began)
            yield position, outcome

    def close(self) -> None:
        """Do nothing: nothing is held."""


def in_order(outcomes: Iterator[tuple[int, Outcome]]) -> Iterator[Outcome]:
    """Yield outcomes by position; those that are early wait.

    Updates are folded in the order of the cohort whoever finishes first, because the last digits
    of a sum depend on the order of its terms.
    """
    waiting: dict[int, Outcome] = {}
    expected = 0
    for position, outcome in outcomes:
        waiting[position] = outcome
        while expected in waiting:
            yield waiting.pop(expected)
            expected += 1

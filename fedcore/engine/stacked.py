"""A cohort as one computation: the fast way on a GPU."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from time import perf_counter

import structlog
import torch
from torch import Tensor

from fedcore.clients.stack import StackedClient, train_stack
from fedcore.clients.training import Interrupted, LocalContext, ShouldStop, Trained
from fedcore.clients.work import ClientTask, result_of
from fedcore.engine.evaluation import Portrait
from fedcore.engine.executor import CohortWork, SequentialExecutor
from fedcore.engine.intake import ClientFailure, Outcome, Progress, take_in_lane
from fedcore.params import Params
from fedcore.rng import Purpose, rng

log = structlog.get_logger(__name__)

#: Memory for the weights, gradients, activations and optimiser of the clients of a stack, on a CPU;
#: a GPU gives a share of what is free.
CPU_BYTES = 1 << 30
GPU_SHARE = 0.5
#: Vectors as long as the model per client: start, weights, gradient, update, momentum twice.
COPIES = 6


@dataclass(eq=False)
class StackedExecutor:
    """Trains as many clients at a time as fit into memory.

    Clients of a stack that cannot be computed together, because a hook is not a function that
    ``torch.func`` can transform, are trained one after another instead.

    Attributes:
        local: Does what cannot be stacked, and the tests.
        has_refused: Whether some clients could not be stacked.
    """

    local: SequentialExecutor
    has_refused: bool = False

    @property
    def name(self) -> str:
        """Return how it works."""
        return "stacked"

    def train(self, work: CohortWork, should_stop: ShouldStop) -> Iterator[tuple[int, Progress]]:
        """Yield the lanes in their order.

        Raises:
            Interrupted: If ``should_stop`` said so.
        """
        context = self.local.context
        for lanes in self._in_stacks(work):
            tasks = [task for lane in lanes for task in work.of_lane(lane)]
            outcomes = iter(self._outcomes(tasks, should_stop))
            for lane in lanes:
                members = work.of_lane(lane)
                of_lane = islice(outcomes, len(members))
                yield lane, take_in_lane(context, work.asked, members, of_lane)

    def score(self, model: Params, should_stop: ShouldStop) -> Tensor:
        """Return what each test example adds to the metrics.

        Raises:
            Interrupted: If ``should_stop`` said so.
        """
        return self.local.score(model, should_stop)

    def score_each(
        self, portraits: Iterable[Portrait], should_stop: ShouldStop
    ) -> Iterator[tuple[int, Tensor]]:
        """Yield per client what its own examples add to the metrics, with its own model.

        Raises:
            Interrupted: If ``should_stop`` said so.
        """
        return self.local.score_each(portraits, should_stop)

    def close(self) -> None:
        """Do nothing: nothing is held."""

    def _in_stacks(self, work: CohortWork) -> Iterator[list[int]]:
        """Yield lanes that fit into memory together, at least one."""
        limit = max(1, self._memory_bytes() // self._client_bytes())
        stack: list[int] = []
        count = 0
        for lane, positions in enumerate(work.lanes):
            if stack and count + len(positions) > limit:
                yield stack
                stack, count = [], 0
            stack.append(lane)
            count += len(positions)
        if stack:
            yield stack

    def _memory_bytes(self) -> int:
        device = self.local.context.device
        if device.type != "cuda":
            return CPU_BYTES
        return int(torch.cuda.mem_get_info(device)[0] * GPU_SHARE)

    def _client_bytes(self) -> int:
        context = self.local.context
        return COPIES * context.layout.total * torch.float32.itemsize

    def _outcomes(self, tasks: Sequence[ClientTask], should_stop: ShouldStop) -> list[Outcome]:
        """Return what comes of each task."""
        if self.local.context.pipeline.promises.examples is not None:
            return list(self.local.outcomes(tuple(tasks), should_stop))
        clients = [self._client(task) for task in tasks]
        groups: dict[object, list[int]] = {}
        for position, client in enumerate(clients):
            groups.setdefault(client.structure, []).append(position)
        outcomes: dict[int, Outcome] = {}
        for positions in groups.values():
            # The most examples first: then those that are still at work lie together.
            positions.sort(key=lambda position: -len(tasks[position].data))
            members = [tasks[position] for position in positions]
            stack = [clients[position] for position in positions]
            found = self._train_stack(members, stack, should_stop)
            outcomes.update(zip(positions, found, strict=True))
        return [outcomes[position] for position in range(len(tasks))]

    def _client(self, task: ClientTask) -> StackedClient:
        context = self.local.context
        private = None if task.private is None else task.private.of_method
        method = context.method_of(task.data.client_id)
        return StackedClient(
            method=method,
            start=method.receive(task.message, private),
            data=context.pipeline.training_data(task.data, task.round_index),
            context=LocalContext.of(
                task.message.sections, None if private is None else private.sections
            ),
            generator=rng(task.seed, Purpose.DATA_ORDER, task.round_index, task.data.client_id),
        )

    def _train_stack(
        self,
        tasks: list[ClientTask],
        stack: list[StackedClient],
        should_stop: ShouldStop,
    ) -> list[Outcome]:
        began = perf_counter()
        try:
            trained = train_stack(stack, should_stop)
        except Interrupted:
            raise
        except Exception as error:  # noqa: BLE001  (whoever is at fault, only that client fails)
            self._say(error)
            return list(self.local.outcomes(tuple(tasks), should_stop))
        duration_s = (perf_counter() - began) / len(tasks)
        return [
            self._outcome(task, result, duration_s)
            for task, result in zip(tasks, trained, strict=True)
        ]

    def _outcome(self, task: ClientTask, trained: Trained, duration_s: float) -> Outcome:
        context = self.local.context
        try:
            method = context.method_of(task.data.client_id)
            return result_of(method, task, trained, context.pipeline, duration_s)
        except Exception as error:  # noqa: BLE001  (one client must not take the others down)
            return ClientFailure(f"{type(error).__name__}: {error}", duration_s)

    def _say(self, error: Exception) -> None:
        """Tell once that clients are not stacked after all."""
        if not self.has_refused:
            reason = f"{type(error).__name__}: {error}"
            log.warning("clients cannot be stacked and train one after another", reason=reason)
            self.has_refused = True

"""Who does what in a round: who is given the model, and whose update the round uses.

A client's work is a pure function of its message and of what it keeps, so it is computed when its
update is due, not when it begins: of clients at work the state holds what they were sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial

from fedcore.clients.work import ClientTask
from fedcore.engine.admission import longest_allowed
from fedcore.engine.context import RunContext
from fedcore.engine.executor import CohortWork
from fedcore.engine.flights import Landing, land
from fedcore.engine.intake import Asked
from fedcore.engine.lanes import cut_into_lanes
from fedcore.engine.traffic import Traffic
from fedcore.rng import Purpose, rng
from fedcore.state import Broadcast, Flight, Json, RunState


@dataclass(frozen=True, eq=False)
class RoundPlan:
    """Who does what in a round.

    Attributes:
        work: What the clients whose updates are due have done.
        num_due: How many of these updates arrive.
        flights: Clients that are still at work when the round ends.
        seconds: How long it lasts, on the clock of the simulated clients.
        heard: Clients that were sent something in this round.
        bytes_down: Size of all that they were sent.
        sampler: What the sampler remembers.
        broadcast: What listeners hold after this round's messages.
    """

    work: CohortWork
    num_due: int
    flights: Mapping[int, Flight]
    seconds: float
    heard: tuple[int, ...]
    bytes_down: int
    sampler: Mapping[str, Json]
    broadcast: Broadcast


#: Says, of all clients at work, whose updates a round uses.
Lander = Callable[[Mapping[int, Flight]], Landing]


def plan(context: RunContext, state: RunState, lander: Lander | None = None) -> RoundPlan:
    """Return who takes part in the next round, and with what.

    Args:
        context: The run.
        state: Before the round.
        lander: Who has arrived; by default the clock of the simulated clients says so.
    """
    sender = _Sender(context, state)
    sender.send(sender.wanted, after_s=0.0, since=state.round_index)
    landing = (lander or _by_clock(context))(sender.flights)
    tasks = _tasks(context, state, sender, landing)
    flights = _still_at_work(state, sender, landing)
    lanes = cut_into_lanes([len(task.data) for task in tasks], state.model.flat.nbytes)
    asked = Asked(
        round_index=state.round_index,
        expected={
            task.data.client_id: sender.traffic.expected(task.data.client_id) for task in tasks
        },
        start=partial(context.method.start, state),
        max_norm=context.pipeline.promises.max_norm(longest_allowed(state.norms)),
        clip=context.pipeline.promises.clip_of(state),
    )
    return RoundPlan(
        work=CohortWork(tasks, lanes, asked),
        num_due=landing.num_due,
        flights=flights,
        seconds=landing.seconds,
        heard=tuple(sender.heard),
        bytes_down=sender.bytes_down,
        sampler=sender.sampler,
        broadcast=sender.traffic.announcer.broadcast(),
    )


def _by_clock(context: RunContext) -> Lander:
    deadline_s = context.spec.runtime.deadline_s
    return lambda flights: land(flights, context.method.trigger, deadline_s)


class _Sender:
    """Gives idle clients the model of one state, and knows when their updates will arrive."""

    def __init__(self, context: RunContext, state: RunState) -> None:
        self._context = context
        self._state = state
        self._generator = rng(context.spec.seed, Purpose.SAMPLING, state.round_index)
        self._workload = lru_cache(maxsize=None)(context.method.workload)
        self.traffic = Traffic(context.method, context.pipeline, state, context.spec.seed)
        self.flights = dict(state.flights)
        self.sampler = state.sampler
        self.heard: list[int] = []
        self.bytes_down = 0

    @property
    def wanted(self) -> int:
        """How many more clients should be at work."""
        sampling, available = self._context.spec.sampling, self._context.available
        return sampling.cohort_size(len(available)) - len(self.flights)

    def send(self, count: int, *, after_s: float, since: int) -> None:
        """Give the model to so many idle clients; nobody is given the same one twice.

        Args:
            count: How many.
            after_s: Time since the beginning of the round.
            since: First round that could use what they make of it.
        """
        busy = self.flights.keys() | set(self.heard)
        idle = [client for client in self._context.available if client not in busy]
        if count <= 0 or not idle:
            return
        state = replace(self._state, sampler=self.sampler)
        sample = self._context.sampler.select(state, idle, min(count, len(idle)), self._generator)
        self.sampler = sample.memory
        if len(sample.client_ids) < self._context.pipeline.promises.fewest:
            return
        for client_id in sample.client_ids:
            self.flights[client_id] = self._flight(client_id, after_s, since)

    def _flight(self, client_id: int, after_s: float, since: int) -> Flight:
        context, state = self._context, self._state
        message, bytes_down = self.traffic.deliver(client_id)
        self.heard.append(client_id)
        self.bytes_down += bytes_down
        num_examples = context.partition.train.size(client_id)
        seconds = context.clock.seconds(
            state.round_index,
            client_id,
            num_seen=self._workload(num_examples),
            num_bytes=bytes_down + self.traffic.bytes_up(client_id),
        )
        return Flight(
            message=message,
            bytes_down=bytes_down,
            since=since,
            seconds=seconds,
            arrives_in_s=after_s + seconds,
            is_lost=context.clock.is_lost(state.round_index, client_id),
        )


def _tasks(
    context: RunContext, state: RunState, sender: _Sender, landing: Landing
) -> tuple[ClientTask, ...]:
    """Return the work of the clients that a round is done with, by their ids."""
    flights = sender.flights
    return tuple(
        ClientTask(
            seed=context.spec.seed,
            round_index=flights[client_id].message.base_version,
            message=flights[client_id].message,
            data=context.client_data(client_id),
            private=state.clients.get(client_id),
            cohort_size=len(landing.fates),
            bytes_down=flights[client_id].bytes_down,
            copies=sender.traffic.copies(client_id),
            since=flights[client_id].since,
            sim_seconds=flights[client_id].seconds,
            fate=landing.fates[client_id],
        )
        for client_id in sorted(landing.fates)
    )


def _still_at_work(state: RunState, sender: _Sender, landing: Landing) -> dict[int, Flight]:
    """Return the clients that are at work when the round ends, as seen from then.

    A client never contributes twice to a round: what it begins in this one is for a later one.
    """
    for client_id in landing.fates:
        arrived_s = sender.flights.pop(client_id).arrives_in_s
        if client_id in landing.replaced:
            sender.send(1, after_s=arrived_s, since=state.round_index + 1)
    return {
        client_id: replace(flight, arrives_in_s=max(0.0, flight.arrives_in_s - landing.seconds))
        for client_id, flight in sender.flights.items()
    }

"""Asynchronous methods on the quadratics of the method cards: who arrives when, and what it makes.

Clients are at work all the time; the trigger of the method and the engine's ``land`` decide which
of them a step uses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from fedcore.clients.training import ClientData
from fedcore.clients.work import ClientTask, client_round
from fedcore.engine.flights import land
from fedcore.messages import Arrival
from fedcore.state import Flight
from tests.fedcore.quadratic import Bed


@dataclass(frozen=True)
class Course:
    """Where the model was during the second half of a run.

    Attributes:
        error: Distance of its mean over time to the optimum, relative to the optimum's norm.
        variance: Mean squared distance to that mean, relative to the same, squared.
        steps: Steps of the server in the whole run.
    """

    error: float
    variance: float
    steps: int


def fly(bed: Bed, seconds: Mapping[int, float], horizon_s: float) -> Course:
    """Let clients that take so long work until a time."""
    flights: dict[int, Flight] = {}
    now, places, weights = 0.0, list[Tensor](), list[float]()
    while now < horizon_s:
        for client in seconds.keys() - flights.keys():
            flights[client] = _take_off(bed, client, seconds[client])
        landing = land(flights, bed.method.trigger, None)
        if now >= horizon_s / 2:
            places.append(bed.state.model.flat)
            weights.append(landing.seconds)
        _step(bed, {client: flights.pop(client) for client in sorted(landing.fates)})
        flights = {
            client: replace(flight, arrives_in_s=max(0.0, flight.arrives_in_s - landing.seconds))
            for client, flight in flights.items()
        }
        now += landing.seconds
    return _course(bed, torch.stack(places), torch.tensor(weights, dtype=torch.float64))


def _take_off(bed: Bed, client: int, seconds: float) -> Flight:
    message = bed.method.downlink(bed.state, client)
    return Flight(message, 0, bed.state.round_index, seconds, seconds, is_lost=False)


def _step(bed: Bed, landed: Mapping[int, Flight]) -> None:
    examples, index = bed.problem.examples(), bed.state.round_index
    accumulator = bed.method.start(bed.state)
    for client, flight in landed.items():
        data = ClientData(client, examples, torch.tensor([client]))
        task = ClientTask(0, flight.message.base_version, flight.message, data, None)
        update = client_round(bed.method, task, lambda: False).update
        staleness = index - flight.message.base_version
        arrival = Arrival(staleness, index - flight.since + 1, flight.seconds)
        accumulator = bed.method.fold(accumulator, replace(update, arrival=arrival))
    after = bed.method.finish(accumulator, bed.state)
    bed.state = replace(after, round_index=index + 1)


def _course(bed: Bed, places: Tensor, weights: Tensor) -> Course:
    shares = (weights / weights.sum()).unsqueeze(1)
    mean = (shares * places).sum(0)
    size = bed.problem.optimum.norm()
    variance = (shares * (places - mean).square()).sum() / size.square()
    error = (mean - bed.problem.optimum).norm() / size
    return Course(float(error), float(variance), bed.state.round_index)

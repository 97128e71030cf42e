"""Sites that are at work for several rounds, in runs whose server does not wait for all of them.

A site at work is known by its client and by the round whose model it was sent, since nobody is sent
the same model twice; of several attempts the newest counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Q

from fedcore.sites.tasks import TaskKind
from webapp.sites.models import SiteRound, SiteTask
from webapp.sites.work_models import TaskState

if TYPE_CHECKING:
    from webapp.sites.work_models import SiteTaskQuerySet


def flights_of(opened: SiteRound) -> dict[int, int] | None:
    """Return who is at work in a round, with the round whose model each was sent."""
    if opened.flights is None:
        return None
    return {client_id: version for client_id, version in opened.flights}  # noqa: C416


def oldest_of(opened: SiteRound) -> int:
    """Return the round of the oldest model that somebody trains in a round."""
    return min([opened.round_index, *(flights_of(opened) or {}).values()])


def in_flight(run_id: UUID, flights: Mapping[int, int]) -> SiteTaskQuerySet:
    """Return the training that some sites are at, all attempts of it."""
    clients: dict[int, list[int]] = {}
    for client_id, version in flights.items():
        clients.setdefault(version, []).append(client_id)
    each = (Q(round_index=v, client_id__in=ids) for v, ids in clients.items())
    is_theirs = reduce(or_, each, Q(pk__in=()))
    return SiteTask.objects.filter(is_theirs, run_id=run_id, kind=TaskKind.TRAIN)


def newest(tasks: Iterable[SiteTask]) -> dict[int, SiteTask]:
    """Return the last attempt of each client."""
    return {task.client_id: task for task in sorted(tasks, key=lambda task: task.attempt)}


def still_asked(run_id: UUID, flights: Mapping[int, int]) -> set[int]:
    """Return the sites at work that may still answer, or have done so and were not used yet."""
    found = newest(in_flight(run_id, flights))
    return {client for client, task in found.items() if task.is_open or _is_there(task)}


def landed_in(opened: SiteRound, flights: Mapping[int, int]) -> dict[int, SiteTask | None]:
    """Return the sites that a round is done with: the first to deliver, and who never will.

    What was settled when the round went on to its test stays; an update that has come since then
    is for the next round.
    """
    found = newest(t for t in in_flight(opened.run_id, flights) if not _is_gone(t))
    if opened.landed is not None:
        return {client: found.get(client) for client in opened.landed}
    used = set(_delivered(opened, found.values())[: opened.due])
    waiting = {c for c, task in found.items() if task.is_open or _is_there(task)}
    done = [c for c in flights if c in used or c not in waiting]
    return {c: found.get(c) for c in done}


def begun_early(opened: SiteRound, flights: Mapping[int, int]) -> list[int]:
    """Return who has begun with the model of a round for a later one, in the place of others."""
    begun = SiteTask.objects.filter(
        run_id=opened.run_id,
        round_index=opened.round_index,
        kind=TaskKind.TRAIN,
        opened_at__gte=opened.opened_at,
    )
    clients = begun.order_by("client_id").values_list("client_id", flat=True).distinct()
    return [client for client in clients if flights.get(client) != opened.round_index]


def vacant_places(opened: SiteRound) -> list[int]:
    """Return the sites that have delivered and whose place others could take now, in their order.

    Nobody is sent the model of a round twice, and the sites at work have something to do: where
    that leaves nobody, no worker need look for one.
    """
    flights = flights_of(opened)
    if flights is None or opened.replaced is None or opened.stage != TaskKind.TRAIN:
        return []
    delivered = _delivered(opened, newest(in_flight(opened.run_id, flights)).values())
    vacant = [client for client in delivered if client not in opened.replaced]
    begun = begun_early(opened, flights)
    heard = {c for c, version in flights.items() if version == opened.round_index}.union(begun)
    busy = flights.keys() - delivered
    return vacant if set(opened.reachable).union(flights) - heard - busy else []


def _delivered(opened: SiteRound, tasks: Iterable[SiteTask]) -> list[int]:
    """Return who has delivered, the first first; the order of those that are replaced stands."""
    replaced = opened.replaced or []
    there = [task for task in tasks if _is_there(task) and task.client_id not in replaced]
    there.sort(key=lambda task: (task.answered_at, task.client_id))
    return [*replaced, *(task.client_id for task in there)]


def let_go(run_id: UUID, now: datetime) -> None:
    """Drop what sites are still training, as the run has made its last step."""
    training = SiteTask.objects.filter(run_id=run_id, kind=TaskKind.TRAIN).open()
    reason = "The run has made its last step."
    training.update(state=TaskState.DROPPED, reason=reason, answered_at=now)


def _is_there(task: SiteTask) -> bool:
    return task.state == TaskState.DONE and not _is_gone(task)


def _is_gone(task: SiteTask) -> bool:
    """Return whether the update was removed, with a round in which the run has failed."""
    return task.state == TaskState.DONE and task.key == ""

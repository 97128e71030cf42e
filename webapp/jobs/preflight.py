"""What a run will need and how long it will take, before it waits for a worker."""

from __future__ import annotations

from statistics import median
from typing import Any

from fedcore.spec import RunSpec, estimate
from fedcore.spec.workload import workload
from webapp.accounts.models import User
from webapp.jobs.limits import largest_memory
from webapp.jobs.models import Run
from webapp.jobs.states import RunState

#: Earlier runs that the duration is taken from.
_MEASURED = 5


def preflight(spec: RunSpec, user: User) -> dict[str, Any]:
    """Return the estimate, with the time that the user's earlier runs of this workload took."""
    sizes = estimate(spec).to_json()
    per_round = _seconds_per_round(spec, user)
    return {
        **sizes,
        "seconds_per_round": per_round,
        "seconds_total": None if per_round is None else per_round * spec.rounds,
        "fits": _fits(spec, sizes["memory_bytes"]),
    }


def _seconds_per_round(spec: RunSpec, user: User) -> float | None:
    same = Run.objects.visible_to(user).filter(
        workload=workload(spec), state=RunState.SUCCEEDED, rounds_done__gt=0
    )
    newest = same.order_by("-finished_at").values_list("seconds", "rounds_done")[:_MEASURED]
    measured = [seconds / rounds for seconds, rounds in newest]
    return median(measured) if measured else None


def _fits(spec: RunSpec, memory_bytes: int | None) -> bool | None:
    """Return whether a live worker has the memory; None if nothing is known of either."""
    there = largest_memory(spec)
    return None if memory_bytes is None or there is None else memory_bytes <= there

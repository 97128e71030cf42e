from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fedcore.spec import SweepSpec
from webapp.jobs.events import Data, LogData
from webapp.jobs.models import Run
from webapp.jobs.states import RequestedAction
from webapp.jobs.sweep_models import Sweep


def compare_at_rung(
    run: Run, progress: Mapping[str, Any]
) -> tuple[Sequence[Data], Mapping[str, Any]]:
    """Hold a run of a search against the others that have come as far; most rounds are no rung.

    Args:
        run: The locked run, as it was before the round.
        progress: What the round changes: ``rounds_done`` and ``latest_metrics``.

    Returns:
        Events and further changes of the run: its value at the rung, and the wish to end it if
        it has fallen behind.
    """
    rounds_done = progress["rounds_done"]
    if run.next_rung is None or rounds_done < run.next_rung or run.point is None:
        return (), {}
    sweep = SweepSpec.model_validate(Sweep.objects.get(pk=run.job_id).document)
    prune = sweep.search and sweep.search.prune
    if not prune:
        return (), {"next_rung": None}
    metric = sweep.objective
    value = progress["latest_metrics"].get(metric.name)
    if value is None:
        return (), {}  # not tested yet, or not a number: compared at the next test
    rung = str(run.next_rung)
    others = _values_at(rung, run)
    following = prune.next_rung(rounds_done)
    changes: dict[str, Any] = {
        "point": {**run.point, "rungs": {**run.point.get("rungs", {}), rung: value}},
        "next_rung": following if following < run.rounds_total else None,
    }
    if prune.goes_on(value, others, higher_is_better=metric.higher_is_better):
        return (), changes
    message = (
        f"Behind after {rounds_done} rounds: {metric.name} {value:.4g} is not among the best"
        f" {(len(others) + 1) // prune.eta} of {len(others) + 1} runs. The run ends here."
    )
    if run.requested_action == RequestedAction.NONE:
        changes |= {"requested_action": RequestedAction.CANCEL, "pruned": True}
    return (LogData(level="info", message=message),), changes


def _values_at(rung: str, run: Run) -> list[float]:
    others = Run.objects.filter(job_id=run.job_id).exclude(pk=run.pk)
    points = others.values_list("point", flat=True)
    return [point["rungs"][rung] for point in points if point and rung in point.get("rungs", {})]

"""What the runs of a sweep have come to: point by point, and the best so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean, stdev
from typing import Any, Literal
from uuid import UUID

from django.db.models import QuerySet
from pydantic import BaseModel, Field

from fedcore.spec import SweepSpec
from fedcore.spec.sweep import Values
from webapp.accounts.roles import Permission, Role, allows
from webapp.jobs.models import Run
from webapp.jobs.states import FINAL_STATES, RunState, SweepAction, SweepState, sweep_actions_for
from webapp.jobs.sweep_models import Sweep


class PointRun(BaseModel):
    """One run of a point."""

    id: str
    number: int
    seed: int
    state: RunState
    rounds_done: int
    pruned: bool
    value: float | None = Field(description="The sweep's metric, as last measured.")


class Point(BaseModel):
    """One combination of settings, and how its runs have done."""

    index: int
    values: dict[str, Any] = Field(description="Settings by path.")
    mean: float | None = Field(description="Mean of the metric over the runs that succeeded.")
    std: float | None = Field(description="Standard deviation over seeds; null for one run.")
    runs: list[PointRun]
    problems: list[str] = Field(description="Why a proposed point was not run.")


class SweepSummary(BaseModel):
    """How far a sweep has come."""

    state: SweepState
    metric: str
    higher_is_better: bool
    runs_total: int
    runs_made: int
    runs_by_state: dict[str, int]
    best: Point | None = Field(description="The best point of which all runs have succeeded.")
    document: dict[str, Any]


class SweepRow(SweepSummary):
    """A sweep as lists show it."""

    job: str = Field(description="Id of its job.")
    name: str
    created_at: datetime
    created_by: str
    finished_at: datetime | None
    allowed_actions: list[SweepAction]


class SweepDetail(SweepRow):
    """A sweep with every point that has been started."""

    points: list[Point]


@dataclass(frozen=True, slots=True)
class Trial:
    """A point of a search, as its sampler wants to know it."""

    values: Values
    state: Literal["running", "complete", "pruned", "failed"]
    value: float | None
    rungs: dict[int, float]


def detail_of(sweep: Sweep) -> SweepDetail:
    """Return all that is known of a sweep; it comes from ``get_sweep``."""
    row, points = _row_of(sweep, _runs(sweep))
    return SweepDetail(**row.model_dump(), points=points)


def rows_of(sweeps: Sequence[Sweep]) -> list[SweepRow]:
    """Return sweeps for a list, in one query; they come from ``visible_sweeps``."""
    runs: dict[UUID, list[Run]] = {sweep.pk: [] for sweep in sweeps}
    for run in _columns(Run.objects.filter(job_id__in=runs)):
        runs[run.job_id].append(run)
    return [_row_of(sweep, runs[sweep.pk])[0] for sweep in sweeps]


def summary_of(sweep: Sweep) -> SweepSummary:
    """Return how far a sweep has come; the caller has checked that the user may see it."""
    return _summary_of(sweep, _runs(sweep))[0]


def _row_of(sweep: Sweep, runs: Sequence[Run]) -> tuple[SweepRow, list[Point]]:
    summary, points = _summary_of(sweep, runs)
    may_write = allows(Role(sweep.viewer_role), Permission.WRITE)
    row = SweepRow(
        **summary.model_dump(),
        job=str(sweep.pk),
        name=sweep.job.name,
        created_at=sweep.job.created_at,
        created_by=sweep.job.created_by.username,
        finished_at=sweep.finished_at,
        allowed_actions=list(sweep_actions_for(summary.state)) if may_write else [],
    )
    return row, points


def _summary_of(sweep: Sweep, runs: Sequence[Run]) -> tuple[SweepSummary, list[Point]]:
    spec = SweepSpec.model_validate(sweep.document)
    points = _points(sweep, spec, runs)
    counts: dict[str, int] = {}
    for run in runs:
        counts[run.state] = counts.get(run.state, 0) + 1
    summary = SweepSummary(
        state=SweepState(sweep.state),
        metric=spec.objective.name,
        higher_is_better=spec.objective.higher_is_better,
        runs_total=sweep.runs_total,
        runs_made=sweep.runs_made,
        runs_by_state=counts,
        best=_best(points, spec),
        document=sweep.document,
    )
    return summary, points


def trials_of(sweep: Sweep, spec: SweepSpec) -> list[Trial]:
    """Return the points of a search so far, in their order."""
    runs = {run.pk: run for run in _runs(sweep)}
    rungs = {str(pk): (run.point or {}).get("rungs", {}) for pk, run in runs.items()}
    return [_trial(point, rungs) for point in _points(sweep, spec, runs.values())]


def _runs(sweep: Sweep) -> list[Run]:
    return list(_columns(Run.objects.filter(job_id=sweep.pk)))


def _columns(runs: QuerySet[Run]) -> QuerySet[Run]:
    columns = ("job_id", "number", "state", "rounds_done", "pruned", "latest_metrics", "point")
    return runs.only(*columns).order_by("number")


def _points(sweep: Sweep, spec: SweepSpec, runs: Iterable[Run]) -> list[Point]:
    points: dict[int, Point] = {}
    for index, proposal in enumerate(sweep.proposed):
        points[index] = _point(index, proposal["values"], proposal["problems"])
    for run in runs:
        if run.point is None:
            continue
        index = run.point["index"]
        point = points.setdefault(index, _point(index, run.point["values"], []))
        point.runs.append(_point_run(run, spec.objective.name))
    for point in points.values():
        done = [run.value for run in point.runs if run.state is RunState.SUCCEEDED]
        values = [value for value in done if value is not None]
        point.mean = fmean(values) if values else None
        point.std = stdev(values) if len(values) > 1 else None
    return sorted(points.values(), key=lambda point: point.index)


def _point(index: int, values: Values, problems: list[str]) -> Point:
    return Point(index=index, values=values, mean=None, std=None, runs=[], problems=problems)


def _point_run(run: Run, metric: str) -> PointRun:
    point: dict[str, Any] = run.point or {}
    return PointRun(
        id=str(run.pk),
        number=run.number,
        seed=point["seed"],
        state=RunState(run.state),
        rounds_done=run.rounds_done,
        pruned=run.pruned,
        value=run.latest_metrics.get(metric),
    )


def _best(points: Sequence[Point], spec: SweepSpec) -> Point | None:
    """Return the best point that is complete: a mean over fewer seeds is no fair comparison."""
    complete = [
        (point.mean, point)
        for point in points
        if point.mean is not None
        and sum(run.state is RunState.SUCCEEDED for run in point.runs) == spec.seeds
    ]
    if not complete:
        return None
    sign = 1 if spec.objective.higher_is_better else -1
    return max(complete, key=lambda pair: (sign * pair[0], -pair[1].index))[1]


def _trial(point: Point, rungs: dict[str, dict[str, float]]) -> Trial:
    at_rungs = {
        int(rung): value for run in point.runs for rung, value in rungs.get(run.id, {}).items()
    }
    state: Literal["running", "complete", "pruned", "failed"] = "running"
    if any(run.pruned and run.state is RunState.CANCELLED for run in point.runs):
        state = "pruned"
    elif point.problems or any(
        run.state in (RunState.FAILED, RunState.CANCELLED) for run in point.runs
    ):
        state = "failed"
    elif point.runs and all(run.state in FINAL_STATES for run in point.runs):
        state = "complete" if point.mean is not None else "failed"
    return Trial(point.values, state, point.mean, at_rungs)

"""Making the next runs of a sweep, as earlier ones end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from fedcore.spec import RunSpec, SweepSpec, check
from fedcore.spec.paths import PathError
from fedcore.spec.sweep import Values
from webapp.jobs.limits import oversized, sentence
from webapp.jobs.models import Run
from webapp.jobs.queue import send_advance_sweep_on_commit
from webapp.jobs.quotas import room_in_queue
from webapp.jobs.services.launch_run import make_run
from webapp.jobs.services.notify_end import notify_of_sweep
from webapp.jobs.states import FINAL_STATES, SweepState
from webapp.jobs.sweep_models import Sweep
from webapp.jobs.sweep_results import Trial, trials_of

#: Proposes the next point of a search from the points so far.
Suggest = Callable[[SweepSpec, Sequence[Trial]], Values]


@dataclass(frozen=True)
class _Next:
    """The next run of a sweep: which it is, and its settings if they had to be proposed."""

    number: int
    proposal: dict[str, Any] | None = None


def advance_sweep(*, job_id: UUID, suggest: Suggest | None = None, now: datetime) -> int:
    """Make runs until enough are under way, and finish the sweep when all have ended.

    Each run is made in a transaction of its own that locks the sweep, so that two callers at once
    make every run once, and one that dies leaves a sweep that the next call goes on with.

    Args:
        job_id: The sweep's job.
        suggest: Proposes the points of a search. Without it a search is only handed to a worker:
            the web process cannot propose.
        now: Time of the change.

    Returns:
        How many runs were made.
    """
    made = 0
    while True:
        sweep = (
            Sweep.objects.filter(pk=job_id, state=SweepState.RUNNING).select_related("job").first()
        )
        if sweep is None:
            return made
        spec = SweepSpec.model_validate(sweep.document)
        if not _can_go_on(sweep, spec):
            return made
        wanted = _next(sweep, spec, suggest)
        if wanted is None:
            send_advance_sweep_on_commit(job_id)
            return made
        outcome = _step(job_id, spec, wanted, now)
        if outcome is None:
            return made
        made += outcome


def _can_go_on(sweep: Sweep, spec: SweepSpec) -> bool:
    """Return whether there is a run to make, and room for it, or the sweep is over."""
    under_way = Run.objects.filter(job_id=sweep.pk).exclude(state__in=FINAL_STATES).count()
    if sweep.runs_made >= sweep.runs_total:
        return under_way == 0
    return under_way < spec.parallel and room_in_queue(sweep.job.project_id) > 0


def _next(sweep: Sweep, spec: SweepSpec, suggest: Suggest | None) -> _Next | None:
    """Return what comes next, or None if only a worker can say."""
    number = sweep.runs_made
    point = number // spec.seeds
    if spec.search is None or number >= sweep.runs_total or point < len(sweep.proposed):
        return _Next(number)
    if suggest is None:
        return None
    # Not while the sweep is locked: the first proposal of a process takes a second.
    values = suggest(spec, trials_of(sweep, spec))
    problems = _problems(spec, values)
    return _Next(number, {"values": values, "problems": problems})


def end_sweep(sweep: Sweep, state: SweepState, now: datetime) -> None:
    """Mark a locked sweep as over."""
    sweep.state, sweep.finished_at = state, now
    sweep.save(update_fields=["state", "finished_at"])
    notify_of_sweep(sweep.job, state, now)


@transaction.atomic
def _step(job_id: UUID, spec: SweepSpec, wanted: _Next, now: datetime) -> int | None:
    """Make one run; None if there is nothing to do now, 0 if somebody else was first."""
    sweep = Sweep.objects.select_for_update().select_related("job__created_by").get(pk=job_id)
    if sweep.state != SweepState.RUNNING:
        return None
    if not _can_go_on(sweep, spec):
        return None
    if sweep.runs_made >= sweep.runs_total:
        end_sweep(sweep, SweepState.FINISHED, now)
        return None
    if sweep.runs_made != wanted.number:
        return 0
    if wanted.proposal is not None:
        sweep.proposed.append(wanted.proposal)
    made = _make(sweep, spec, now)
    sweep.save(update_fields=["runs_made", "proposed"])
    return made


def _make(sweep: Sweep, spec: SweepSpec, now: datetime) -> int:
    """Make the next run, or leave out a point that cannot be run."""
    point, seed_index = divmod(sweep.runs_made, spec.seeds)
    values = spec.values_at(point)
    if spec.search is not None:
        proposal = sweep.proposed[point]
        if proposal["problems"]:
            sweep.runs_made += spec.seeds
            return 0
        values = proposal["values"]
    run_spec = RunSpec.parse(spec.document(values, seed_index))
    prune = spec.search.prune if spec.search else None
    rung = prune.next_rung(0) if prune else None
    make_run(
        job=sweep.job,
        user=sweep.job.created_by,
        spec=run_spec,
        now=now,
        point={"index": point, "values": values, "seed": run_spec.seed},
        next_rung=rung if rung is not None and rung < run_spec.rounds else None,
    )
    sweep.runs_made += 1
    return 1


def _problems(spec: SweepSpec, values: Values) -> list[str]:
    """Return why a proposed point cannot be run; the ends of each setting were checked alone."""
    try:
        result = check(spec.document(values, 0))
    except PathError as error:
        return [error.message]
    problems = result.problems if result.spec is None else tuple(oversized(result.spec))
    return [f"{problem.path}: {sentence(problem)}" for problem in problems]

"""Trying a round again that failed because clients did: what the others have done is kept.

Simulated clients that were lost or late the first time are asked again, and answer. The sums are
those of the same updates in another order, so they may differ in their last digits.
"""

from __future__ import annotations

from dataclasses import replace

from fedcore.engine.chunks import Chunk
from fedcore.engine.context import RunContext
from fedcore.engine.executor import CohortWork
from fedcore.engine.intake import Progress
from fedcore.engine.lanes import cut_into_lanes
from fedcore.engine.planning import RoundPlan


def used(context: RunContext, progress: Progress) -> Progress | None:
    """Return what came of the clients whose updates can be used, if anything can be kept of it.

    Rules that compare all updates, and secure sums, need every client at the same time.
    """
    spec = context.spec
    needs_all = spec.aggregation.needs_individual_updates or spec.privacy.secure_aggregation
    if needs_all or not spec.algorithm.takes_parts or not progress.accumulator.count:
        return None
    reports = [report for report in progress.reports if report.status == "ok"]
    ids = {report.client_id for report in reports}
    return replace(
        progress,
        reports=reports,
        kept={client: kept for client, kept in progress.kept.items() if client in ids},
    )


def left_to_do(work: CohortWork, kept: Progress, model_bytes: int) -> CohortWork:
    """Return the work of the clients of a round that are not among those that are kept."""
    done = {report.client_id for report in kept.reports}
    tasks = tuple(
        replace(task, fate="arrives") for task in work.tasks if task.data.client_id not in done
    )
    lanes = cut_into_lanes([len(task.data) for task in tasks], model_bytes)
    return CohortWork(tasks, lanes, work.asked)


def whole(planned: RoundPlan) -> Chunk:
    """Return all of a round as one chunk, for what is kept of it."""
    return Chunk(0, len(planned.work.lanes), len(planned.work.tasks))

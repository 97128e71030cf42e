"""Rounds that are with the sites: opened stage by stage, closed with what has arrived.

Whoever holds the run's lease opens a stage in one transaction, and nobody holds the run then. The
last answer, or the deadline, lets a worker take it again.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from fedcore.sites.messages import SiteState
from fedcore.sites.tasks import TaskKind
from webapp.artifacts.services import StoredFile
from webapp.jobs.clock import database_now
from webapp.jobs.events import SiteChangedData
from webapp.jobs.models import Run
from webapp.jobs.services.leases import Lease, lock_leased_run
from webapp.jobs.services.record_round import record_round
from webapp.jobs.services.run_changes import FREE, change, lock_run
from webapp.jobs.services.shared_rounds import replace_checkpoint
from webapp.sites.models import RunSite, Site, SiteRound, SiteTask
from webapp.sites.services.flights import begun_early, flights_of, landed_in, let_go, vacant_places
from webapp.sites.services.forgetting import forget_results, forget_round
from webapp.sites.services.hints import tell_sites_on_commit
from webapp.sites.services.round_on_sites import (
    Candidates,
    Flights,
    MaskedSum,
    Outcome,
    RoundOnSites,
    Stage,
)
from webapp.sites.services.stages import (
    deadline_of,
    go_on_if_answered,
    has_enough,
    is_answered,
    of_stage,
    overdue,
)
from webapp.sites.work_models import TaskState


@transaction.atomic
def find_round(run_id: UUID, round_index: int) -> RoundOnSites | None:
    """Return a round that was opened, with the newest answer of each site in each stage.

    All of it as of one moment: with the run locked, nobody answers while it is read.
    """
    lock_run(run_id)
    row = SiteRound.objects.filter(run_id=run_id, round_index=round_index).first()
    if row is None:
        return None
    outcomes: dict[TaskKind, dict[int, Outcome]] = {}
    of_round = _tasks(run_id, round_index).filter(opened_at__gte=row.opened_at)
    for task in of_round.order_by("attempt"):
        outcomes.setdefault(TaskKind(task.kind), {})[task.client_id] = _outcome(task)
    flights = flights_of(row)
    if flights is not None:
        landed = landed_in(row, flights)
        outcomes[TaskKind.TRAIN] = {
            c: Outcome("lost", "it was not asked again") if task is None else _outcome(task)
            for c, task in landed.items()
        }
    return RoundOnSites(
        stage=TaskKind(row.stage),
        reachable=tuple(row.reachable),
        opened_at=row.opened_at,
        deadline_at=deadline_of(row),
        is_answered=is_answered(row, of_stage(row).open()),
        has_enough=has_enough(row, database_now()),
        sum_number=row.sum_number,
        masked=None if row.masked_sum is None else _masked(row.masked_sum),
        flights=flights,
        replaced=tuple(row.replaced or ()),
        begun=() if flights is None else tuple(begun_early(row, flights)),
        vacant=tuple(vacant_places(row)),
        outcomes=outcomes,
    )


def candidates(run_id: UUID, *, at_least: int, now: datetime) -> Candidates:
    """Return whom to ask: the sites that are online, or all if those are too few."""
    members = list(RunSite.objects.filter(run_id=run_id).select_related("site"))
    out = {m.client_id: _why_out(m) for m in members if _why_out(m)}
    there = [m for m in members if m.client_id not in out]
    online = set(Site.objects.online(now).values_list("pk", flat=True))
    awake = [m for m in there if m.site_id in online]
    chosen = awake if len(awake) >= at_least else there
    return Candidates(tuple(sorted(m.client_id for m in chosen)), out)


@transaction.atomic
def open_stage(
    *,
    lease: Lease,
    stage: Stage,
    report: dict[str, Any] | None = None,
    checkpoint: StoredFile | None = None,
    now: datetime | None = None,
) -> None:
    """Ask sites for their part and give the run back.

    Args:
        lease: The right to work on the run, which ends.
        stage: What is asked.
        report: Of the round that this closes, if it is the first stage of the next one.
        checkpoint: What the next round starts from, with the report.
        now: Time of the change; the clock's if not given.

    Raises:
        LeaseLostError: If the run belongs to somebody else; the caller then removes the files.
    """
    now = now or database_now()
    if report is not None and checkpoint is not None:
        _close(lease, report, checkpoint, now, stage.flights)
    run = lock_leased_run(lease)
    opened: dict[str, Any] = {
        "stage": stage.kind,
        "reachable": list(stage.reachable),
        "stage_opened_at": now,
        "deadline_at": now + timedelta(seconds=stage.lasts_s),
        "enough": stage.enough,
        "landed": stage.landed,
    }
    if stage.is_last:
        let_go(run.pk, now)
    if stage.flights is not None:
        opened |= {
            "flights": [*stage.flights.versions.items()],
            "due": stage.flights.due,
            "replaced": [] if stage.flights.restarts_at_once else None,
        }
    if stage.kind is TaskKind.KEYS:
        opened["sum_number"] = _last_sum(run) + 1
    if stage.masked is not None:
        opened["masked_sum"] = asdict(stage.masked)
        forget_results(run, TaskKind.MASKED)
    row, _ = SiteRound.objects.update_or_create(
        run=run,
        round_index=run.rounds_done,
        defaults=opened,
        create_defaults={**opened, "opened_at": now},
    )
    _ask(row, stage, now)
    change(run, now=now, **FREE, parts_out=True, hint_due_at=None)
    if stage.flights is not None:  # of the sites at work, enough may have answered already
        go_on_if_answered(run, now)


@transaction.atomic
def fill_places(
    *, lease: Lease, stage: Stage, replaced: tuple[int, ...], now: datetime | None = None
) -> None:
    """Ask sites in the place of others that have delivered, and give the run back.

    Args:
        lease: The right to work on the run, which ends.
        stage: The round's training, with what more is asked.
        replaced: All whose place is taken then, in the order in which they have delivered.
        now: Time of the change; the clock's if not given.

    Raises:
        LeaseLostError: If the run belongs to somebody else; the caller then removes the files.
    """
    now = now or database_now()
    run = lock_leased_run(lease)
    opened = SiteRound.objects.get(run=run, round_index=run.rounds_done)
    opened.replaced = list(replaced)
    opened.save(update_fields=["replaced"])
    _ask(opened, stage, now)
    change(run, now=now, **FREE, parts_out=True, hint_due_at=None)
    go_on_if_answered(run, now)


@transaction.atomic
def close_last_round(
    *, lease: Lease, report: dict[str, Any], checkpoint: StoredFile, now: datetime | None = None
) -> None:
    """Record the last round; the lease stands, for the holder to end the run.

    Raises:
        LeaseLostError: If the run belongs to somebody else; the caller then removes the file.
    """
    now = now or database_now()
    _close(lease, report, checkpoint, now, None)
    let_go(lease.run_id, now)


@transaction.atomic
def wait_on(*, lease: Lease, now: datetime | None = None) -> None:
    """Give a run back whose sites have not answered yet: it was taken too early, or was paused.

    Raises:
        LeaseLostError: If the run belongs to somebody else.
    """
    now = now or database_now()
    run = lock_leased_run(lease)
    change(run, now=now, **FREE, parts_out=True, hint_due_at=None)
    waiting = SiteTask.objects.filter(run=run).open().values_list("site_id", flat=True)
    tell_sites_on_commit(set(waiting))
    go_on_if_answered(run, now)  # the last answer may have come while the run was held


@transaction.atomic
def give_up_waiting(*, lease: Lease, now: datetime | None = None) -> None:
    """Go on without the sites that have not answered in time, and say so on the run's page.

    Raises:
        LeaseLostError: If the run belongs to somebody else.
    """
    now = now or database_now()
    run = lock_leased_run(lease)
    online = set(Site.objects.online(now).values_list("pk", flat=True))
    names = dict(RunSite.objects.filter(run=run).values_list("client_id", "name"))
    events = []
    opened = SiteRound.objects.get(run=run, round_index=run.rounds_done)
    is_early = now < deadline_of(opened)
    for task in overdue(opened, now):
        limit_s = (task.deadline_at - task.opened_at).total_seconds()
        what = "its last word was: " + task.stage if task.stage else "it had not begun"
        if task.site_id not in online:
            what = "it is offline"
        reason = (
            "It went offline, and enough others have answered."
            if is_early
            else f"Nothing came within {limit_s:g} s; {what}."
        )
        task.state, task.reason, task.answered_at = TaskState.DROPPED, reason, now
        task.save(update_fields=["state", "reason", "answered_at"])
        name = names[task.client_id]
        events.append(
            SiteChangedData(
                round_index=run.rounds_done,
                site=name,
                client_id=task.client_id,
                what="late",
                reason=reason,
            )
        )
    change(run, *events, now=now)


def _tasks(run_id: UUID, round_index: int) -> Any:
    return SiteTask.objects.filter(run_id=run_id, round_index=round_index)


def _why_out(member: RunSite) -> str:
    if member.site.state != SiteState.APPROVED:
        return f"site {member.name}: it is {member.site.state}"
    if member.out_rule:
        return f"site {member.name}: {member.out_rule}: {member.out_reason}"
    return ""


def _outcome(task: SiteTask) -> Outcome:
    if task.state == TaskState.DONE:
        return Outcome(
            status="ok",
            key=task.key,
            sha256=task.sha256,
            seconds=task.seconds,
            num_bytes=task.size_bytes,
            message_bytes=task.message_bytes,
            message_sha256=task.message_sha256,
            num_examples=task.num_examples,
            tally=None if task.tally is None else tuple(task.tally),
        )
    if task.state == TaskState.REFUSED:
        return Outcome("refused", f"the site refused by rule {task.rule}: {task.reason}")
    if task.state == TaskState.FAILED:
        return Outcome("failed", task.reason)
    return Outcome("lost" if task.rule else "late", task.reason)


def _last_sum(run: Run) -> int:
    """Return the number of the latest secure sum; a round that is made anew makes another one."""
    return SiteTask.objects.filter(run=run).aggregate(last=Max("sum_number"))["last"] or 0


def _masked(kept: dict[str, Any]) -> MaskedSum:
    return MaskedSum(kept["key"], kept["sha256"], tuple(kept["client_ids"]))


def _ask(opened: SiteRound, stage: Stage, now: datetime) -> None:
    run = opened.run
    members = {m.client_id: m for m in RunSite.objects.filter(run=run)}
    versions = {
        e.client_id: run.rounds_done if e.version is None else e.version for e in stage.errands
    }
    earlier = SiteTask.objects.filter(
        run=run, kind=stage.kind, round_index__in=set(versions.values())
    )
    attempts = {
        (client, version): last
        for client, version, last in earlier.values("client_id", "round_index")
        .annotate(last=Max("attempt"))
        .values_list("client_id", "round_index", "last")
    }
    tasks = [
        SiteTask(
            run=run,
            site_id=members[errand.client_id].site_id,
            client_id=errand.client_id,
            round_index=versions[errand.client_id],
            kind=stage.kind,
            attempt=attempts.get((errand.client_id, versions[errand.client_id]), 0) + 1,
            sum_number=opened.sum_number if stage.kind.is_secure else None,
            cohort_size=stage.cohort_size,
            opened_at=now,
            deadline_at=now + timedelta(seconds=stage.limit_s),
            message_key=errand.message.key,
            message_sha256=errand.message.sha256,
            message_bytes=errand.message.size_bytes,
            max_result_bytes=errand.max_result_bytes,
        )
        for errand in stage.errands
    ]
    SiteTask.objects.bulk_create(tasks)
    tell_sites_on_commit([task.site_id for task in tasks])


def _close(
    lease: Lease,
    report: dict[str, Any],
    checkpoint: StoredFile,
    now: datetime,
    flights: Flights | None,
) -> None:
    record_round(lease=lease, report=report, now=now)
    run = lock_leased_run(lease)
    replace_checkpoint(run, checkpoint, now)
    forget_round(run, run.rounds_done - 1, keep={} if flights is None else flights.versions)

"""Rounds that are with the sites: opened stage by stage, closed with what has arrived.

Whoever holds the run's lease opens a stage in one transaction, and nobody holds the run then. The
last answer, or the deadline, lets a worker take it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
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
from webapp.jobs.services.run_changes import FREE, change
from webapp.jobs.services.shared_rounds import replace_checkpoint
from webapp.sites.models import RunSite, Site, SiteRound, SiteTask
from webapp.sites.services.forgetting import forget_results, forget_round
from webapp.sites.services.hints import tell_sites_on_commit
from webapp.sites.services.stages import deadline_of, has_enough
from webapp.sites.work_models import OPEN, TaskState


@dataclass(frozen=True, slots=True)
class Errand:
    """What one site is asked in a stage."""

    client_id: int
    message: StoredFile
    max_result_bytes: int


@dataclass(frozen=True, slots=True)
class MaskedSum:
    """The sum of the masked vectors of a round, and whose they are."""

    key: str
    sha256: str
    client_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a round, as it is opened.

    Attributes:
        kind: What sites are asked for.
        reachable: Clients among which the cohort was chosen.
        errands: What each of the cohort is asked.
        limit_s: How long it may take.
        masked: The sum of the vectors that this closes, if it does; they are removed one by one.
        enough: So many answers are enough if the other sites are offline; None waits for them.
    """

    kind: TaskKind
    reachable: tuple[int, ...]
    errands: tuple[Errand, ...]
    limit_s: float
    masked: MaskedSum | None = None
    enough: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What has become of one site's task; without a key or a tally there is nothing of use."""

    status: Literal["ok", "refused", "failed", "late", "lost"]
    reason: str = ""
    key: str = ""
    sha256: str = ""
    seconds: float = 0.0
    num_bytes: int = 0
    message_bytes: int = 0
    message_sha256: str = ""
    num_examples: int = 0
    tally: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class RoundOnSites:
    """What is known of a round that is with the sites."""

    stage: TaskKind
    reachable: tuple[int, ...]
    opened_at: datetime
    deadline_at: datetime
    is_answered: bool
    has_enough: bool = False
    sum_number: int | None = None
    masked: MaskedSum | None = None
    outcomes: Mapping[TaskKind, Mapping[int, Outcome]] = field(default_factory=dict)

    def is_over(self, now: datetime) -> bool:
        """Return whether the stage can be closed."""
        return self.is_answered or self.has_enough or now >= self.deadline_at


@dataclass(frozen=True, slots=True)
class Candidates:
    """Who can be asked in the next round, and why the others cannot; by client."""

    reachable: tuple[int, ...]
    out: Mapping[int, str]


def find_round(run_id: UUID, round_index: int) -> RoundOnSites | None:
    """Return a round that was opened, with the newest answer of each site in each stage."""
    row = SiteRound.objects.filter(run_id=run_id, round_index=round_index).first()
    if row is None:
        return None
    outcomes: dict[TaskKind, dict[int, Outcome]] = {}
    is_answered = True
    of_round = _tasks(run_id, round_index).filter(opened_at__gte=row.opened_at)
    for task in of_round.order_by("attempt"):
        is_answered = is_answered and not (task.kind == row.stage and task.state in OPEN)
        outcomes.setdefault(TaskKind(task.kind), {})[task.client_id] = _outcome(task)
    return RoundOnSites(
        stage=TaskKind(row.stage),
        reachable=tuple(row.reachable),
        opened_at=row.opened_at,
        deadline_at=deadline_of(row),
        is_answered=is_answered,
        has_enough=has_enough(row, database_now()),
        sum_number=row.sum_number,
        masked=None if row.masked_sum is None else _masked(row.masked_sum),
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
        _close(lease, report, checkpoint, now)
    run = lock_leased_run(lease)
    deadline_at = now + timedelta(seconds=stage.limit_s)
    opened: dict[str, Any] = {
        "stage": stage.kind,
        "reachable": list(stage.reachable),
        "stage_opened_at": now,
        "deadline_at": deadline_at,
        "enough": stage.enough,
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


@transaction.atomic
def close_last_round(
    *, lease: Lease, report: dict[str, Any], checkpoint: StoredFile, now: datetime | None = None
) -> None:
    """Record the last round; the lease stands, for the holder to end the run.

    Raises:
        LeaseLostError: If the run belongs to somebody else; the caller then removes the file.
    """
    _close(lease, report, checkpoint, now or database_now())


@transaction.atomic
def wait_on(*, lease: Lease, now: datetime | None = None) -> None:
    """Give a run back whose sites have not answered yet: it was taken too early, or was paused.

    Raises:
        LeaseLostError: If the run belongs to somebody else.
    """
    now = now or database_now()
    run = lock_leased_run(lease)
    change(run, now=now, **FREE, parts_out=True, hint_due_at=None)
    waiting = _tasks(run.pk, run.rounds_done).open().values_list("site_id", flat=True)
    tell_sites_on_commit(set(waiting))


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
    limit_s = (opened.deadline_at - opened.stage_opened_at).total_seconds()
    for task in _tasks(run.pk, run.rounds_done).open():
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
    earlier = _tasks(run.pk, run.rounds_done).filter(kind=stage.kind)
    attempts = dict(
        earlier.values("client_id").annotate(last=Max("attempt")).values_list("client_id", "last")
    )
    tasks = [
        SiteTask(
            run=run,
            site_id=members[errand.client_id].site_id,
            client_id=errand.client_id,
            round_index=run.rounds_done,
            kind=stage.kind,
            attempt=attempts.get(errand.client_id, 0) + 1,
            sum_number=opened.sum_number if stage.kind.is_secure else None,
            cohort_size=len(stage.errands),
            opened_at=now,
            deadline_at=opened.deadline_at,
            message_key=errand.message.key,
            message_sha256=errand.message.sha256,
            message_bytes=errand.message.size_bytes,
            max_result_bytes=errand.max_result_bytes,
        )
        for errand in stage.errands
    ]
    SiteTask.objects.bulk_create(tasks)
    tell_sites_on_commit([task.site_id for task in tasks])


def _close(lease: Lease, report: dict[str, Any], checkpoint: StoredFile, now: datetime) -> None:
    record_round(lease=lease, report=report, now=now)
    run = lock_leased_run(lease)
    replace_checkpoint(run, checkpoint)
    forget_round(run, run.rounds_done - 1)


def errands_of(
    clients: Sequence[int], message: StoredFile, max_result_bytes: int
) -> tuple[Errand, ...]:
    """Return the same for each of some clients."""
    return tuple(Errand(client, message, max_result_bytes) for client in clients)

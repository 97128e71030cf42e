"""What a site is asked, and what it says to it: accepts, refuses, fails, is done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db import transaction

from fedcore.sites.tasks import Refusal, TaskFailure, TaskKind, TaskResult
from webapp.artifacts.services import StoredFile, discard_file
from webapp.errors import NotFoundError
from webapp.jobs.clock import database_now
from webapp.jobs.events import SiteChangedData
from webapp.jobs.models import Run
from webapp.jobs.services.run_changes import change, lock_run
from webapp.sites.errors import ChecksumError, TaskNotWantedError
from webapp.sites.models import RunSite, Site, SiteTask
from webapp.sites.services.hints import tell_sites_on_commit
from webapp.sites.services.leaving import leave_run
from webapp.sites.services.stages import go_on_if_answered
from webapp.sites.services.uploads import drop_pieces, join_pieces
from webapp.sites.work_models import TaskState

#: A site is asked again so often for what has failed for a moment.
MOST_ATTEMPTS = 3
_MOST_TASKS = 100

What = Literal["joined", "refused", "failed"]


def tasks_of(site: Site) -> Sequence[SiteTask]:
    """Return what a site is asked now, oldest first."""
    wanted = SiteTask.objects.wanted().filter(site=site).select_related("run")
    return list(wanted.order_by("opened_at")[:_MOST_TASKS])


def get_task(site: Site, task_id: UUID) -> SiteTask:
    """Return a task of the site's, whatever has become of it.

    Raises:
        NotFoundError: If it is no task of this site.
    """
    try:
        return SiteTask.objects.select_related("run").get(site=site, pk=task_id)
    except SiteTask.DoesNotExist:
        raise NotFoundError("There is no such task.") from None


def get_member(site: Site, run_id: UUID) -> RunSite:
    """Return the part that a site has in a run.

    Raises:
        NotFoundError: If it has none.
    """
    found = RunSite.objects.select_related("run__created_by", "run__project")
    member = found.filter(site=site, run_id=run_id).first()
    if member is None:
        raise NotFoundError("There is no such run.")
    return member


@transaction.atomic
def accept_task(*, site: Site, task_id: UUID, now: datetime | None = None) -> SiteTask:
    """Note that the site does the task; saying so again changes nothing.

    Raises:
        TaskNotWantedError: If nobody waits for it any more.
    """
    now = now or database_now()
    run, task = _wanted(site, task_id)
    member = _member(task)
    if task.state == TaskState.WAITING:
        task.state, task.accepted_at = TaskState.ACCEPTED, now
        task.save(update_fields=["state", "accepted_at"])
    if not member.has_joined:
        RunSite.objects.filter(pk=member.pk).update(has_joined=True)
        _tell(run, member, "joined", f"It holds {member.num_train} training examples.", now)
    return task


@transaction.atomic
def refuse_task(
    *, site: Site, task_id: UUID, refusal: Refusal, now: datetime | None = None
) -> None:
    """Note which rule of the site's policy refused the task.

    Raises:
        TaskNotWantedError: If nobody waits for it any more.
    """
    now = now or database_now()
    run, task = _wanted(site, task_id)
    member = _member(task)
    said = " ".join(part for part in (refusal.message, refusal.fix) if part)
    _answer(task, now, state=TaskState.REFUSED, rule=refusal.rule, reason=said)
    if refusal.is_final:
        leave_run(run, member, rule=refusal.rule, reason=said)
    _tell(run, member, "refused", f"Rule {refusal.rule}: {said}", now)
    go_on_if_answered(run, now)


@transaction.atomic
def fail_task(
    *, site: Site, task_id: UUID, failure: TaskFailure, now: datetime | None = None
) -> None:
    """Note that the site could not do the task; it is asked again where that may help.

    Raises:
        TaskNotWantedError: If nobody waits for it any more.
    """
    now = now or database_now()
    run, task = _wanted(site, task_id)
    reason = f"{failure.code}: {failure.message}"
    _answer(task, now, state=TaskState.FAILED, rule=failure.code, reason=reason)
    drop_pieces(task)
    if failure.can_retry and task.attempt < MOST_ATTEMPTS:
        _ask_again(task)
        reason = f"{reason} It is asked again."
    _tell(run, _member(task), "failed", reason, now)
    go_on_if_answered(run, now)


def finish_task(*, site: Site, task_id: UUID, result: TaskResult) -> None:
    """Take the result of a task; saying it again changes nothing.

    The bytes are put together and checked before anything is locked.

    Raises:
        TaskNotWantedError: If nobody waits for it any more.
        ChecksumError: If the bytes are not those that the site speaks of; it sends them again.
    """
    task = get_task(site, task_id)
    if task.state == TaskState.DONE and task.sha256 == (result.sha256 or ""):
        return
    if not SiteTask.objects.wanted().filter(pk=task.pk).exists():
        raise _not_wanted()
    stored = None
    if task.kind != TaskKind.EVALUATE:
        stored = join_pieces(task, sha256=result.sha256, size_bytes=result.size_bytes)
    elif result.tally is None:
        raise ChecksumError("A test is answered with its tally.", fields={"tally": ["Missing."]})
    try:
        _record(site, task_id, result, stored)
    except TaskNotWantedError:
        if stored is not None:
            discard_file(key=stored.key)
        raise
    drop_pieces(task)


@transaction.atomic
def _record(site: Site, task_id: UUID, result: TaskResult, stored: StoredFile | None) -> None:
    now = database_now()
    run, task = _wanted(site, task_id)
    task.seconds, task.num_examples = result.seconds, result.num_examples
    task.tally = None if result.tally is None else list(result.tally)
    fields = ["seconds", "num_examples", "tally"]
    if stored is not None:
        task.key, task.sha256, task.size_bytes = stored.key, stored.sha256, stored.size_bytes
        fields += ["key", "sha256", "size_bytes"]
    _answer(task, now, *fields, state=TaskState.DONE, rule="", reason="")
    go_on_if_answered(run, now)


def _answer(
    task: SiteTask, now: datetime, *fields: str, state: TaskState, rule: str, reason: str
) -> None:
    """Save how a task was answered, together with other fields that say so."""
    task.state, task.rule, task.reason, task.answered_at = state, rule[:120], reason[:1100], now
    task.save(update_fields=["state", "rule", "reason", "answered_at", *fields])


def _ask_again(task: SiteTask) -> None:
    again = SiteTask(
        run_id=task.run_id,
        site_id=task.site_id,
        client_id=task.client_id,
        round_index=task.round_index,
        kind=task.kind,
        attempt=task.attempt + 1,
        sum_number=task.sum_number,
        cohort_size=task.cohort_size,
        opened_at=task.opened_at,
        deadline_at=task.deadline_at,
        message_key=task.message_key,
        message_sha256=task.message_sha256,
        message_bytes=task.message_bytes,
        max_result_bytes=task.max_result_bytes,
    )
    again.save(force_insert=True)
    tell_sites_on_commit([task.site_id])


def _wanted(site: Site, task_id: UUID) -> tuple[Run, SiteTask]:
    """Return the task with its run, locked.

    Raises:
        TaskNotWantedError: If nobody waits for it any more.
    """
    run_id = SiteTask.objects.filter(site=site, pk=task_id).values_list("run_id", flat=True)
    try:
        run = lock_run(run_id.get())
    except SiteTask.DoesNotExist:
        raise NotFoundError("There is no such task.") from None
    try:
        task = SiteTask.objects.wanted().get(pk=task_id, site__state="approved")
    except SiteTask.DoesNotExist:
        raise _not_wanted() from None
    return run, task


def _member(task: SiteTask) -> RunSite:
    return RunSite.objects.get(run=task.run_id, site=task.site_id)


def _tell(run: Run, member: RunSite, what: What, reason: str, now: datetime) -> None:
    event = SiteChangedData(
        round_index=run.rounds_done,
        site=member.name,
        client_id=member.client_id,
        what=what,
        reason=reason,
    )
    change(run, event, now=now)


def _not_wanted() -> TaskNotWantedError:
    return TaskNotWantedError("Nobody waits for this task any more.")

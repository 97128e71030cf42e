"""Who works on a run: a lease has a token and an end, and only its token can change the run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction

from webapp.artifacts.services import newest_checkpoint
from webapp.errors import ConflictError
from webapp.jobs.clock import database_now
from webapp.jobs.events import Data, RecoveredData
from webapp.jobs.models import Run
from webapp.jobs.services.open_rounds import OpenRound
from webapp.jobs.services.run_changes import (
    FREE,
    change,
    join_queue,
    lock_run,
    settle_request,
    transition,
)
from webapp.jobs.states import WORKABLE_STATES, RequestedAction, RunState


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where the newest saved state of a run is, and how many rounds it contains."""

    key: str
    size_bytes: int
    sha256: str
    round_index: int


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a run until ``expires_at``, and all that is needed to begin."""

    run_id: UUID
    token: str
    holder: str
    expires_at: datetime
    spec: dict[str, Any]
    digest: str
    attempt: int
    rounds_done: int
    checkpoint: Checkpoint | None
    #: Updates of an earlier try of a round: key, sha256, round_index.
    kept_updates: dict[str, Any] | None = None
    #: Whether training has begun, and how it was executed last.
    is_running: bool = False
    executor: str = ""
    requested: RequestedAction = RequestedAction.NONE
    #: The parts of the next round, if this worker has just brought the last of them.
    all_parts: OpenRound | None = None


class LeaseLostError(ConflictError):
    """Another worker has the run, or it ended: stop, and write nothing more about it."""

    code = "lease_lost"


def acquire_lease(*, run_id: UUID, holder: str, now: datetime | None = None) -> Lease | None:
    """Take the run; None when it is finished, paused, gone, or held by a worker that is alive.

    Nor while its round is with workers in parts: the last part to arrive takes it on.
    """
    now = now or database_now()
    with transaction.atomic():
        run = Run.objects.select_for_update().filter(pk=run_id, state__in=WORKABLE_STATES).first()
        if run is None or run.parts_out or run.is_held(now) or settle_request(run, now):
            return None
        return hold(run, holder, now)


class Known(Protocol):
    """What a worker that has trained a part of the run's next round knows of the run."""

    @property
    def spec(self) -> dict[str, Any]: ...

    @property
    def checkpoint(self) -> Checkpoint | None: ...


def hold(
    run: Run,
    holder: str,
    now: datetime,
    *,
    of: Known | None = None,
    all_parts: OpenRound | None = None,
) -> Lease:
    """Take a locked run that is free, whatever was asked of it; what is known is not read again."""
    checkpoint = latest_checkpoint(run.pk) if of is None else of.checkpoint
    events = recovery(run, checkpoint) if run.lease_token else ()
    taken: dict[str, Any] = {
        "lease_token": uuid4().hex,
        "lease_holder": holder,
        "lease_expires_at": _end(now),
        "hints_sent": 0,
        "hint_due_at": None,
        "parts_out": False,
    }
    if run.state == RunState.QUEUED:
        reason = "A worker has taken the run."
        transition(run, RunState.STARTING, *events, reason=reason, now=now, **taken)
    else:
        change(run, *events, now=now, **taken)
    return Lease(
        run_id=run.pk,
        token=taken["lease_token"],
        holder=holder,
        expires_at=taken["lease_expires_at"],
        spec=run.spec if of is None else of.spec,
        digest=run.digest,
        attempt=run.attempt,
        rounds_done=run.rounds_done,
        checkpoint=checkpoint,
        kept_updates=run.kept_updates,
        is_running=run.state == RunState.RUNNING,
        executor=run.executor,
        all_parts=all_parts,
    )


def renew_lease(*, lease: Lease, now: datetime | None = None) -> Lease:
    """Keep the run for longer, and learn what its user has asked for in the meantime.

    Raises:
        LeaseLostError: If the run belongs to somebody else by now.
    """
    expires_at = _end(now or database_now())
    mine = Run.objects.filter(pk=lease.run_id, lease_token=lease.token)
    if mine.update(lease_expires_at=expires_at) != 1:
        raise lost(lease)
    requested = mine.values_list("requested_action", flat=True).first()
    if requested is None:
        raise lost(lease)
    return replace(lease, expires_at=expires_at, requested=RequestedAction(requested))


@transaction.atomic
def release_lease(*, lease: Lease, now: datetime | None = None) -> None:
    """Hand an unfinished run back: it joins the end of its queue, and the workers are told.

    A lease that is lost already needs no release, so that is no error.
    """
    now = now or database_now()
    run = lock_run(lease.run_id)
    if run.lease_token != lease.token or settle_request(run, now):
        return
    change(run, now=now, **FREE, **join_queue(run, now))


def lock_leased_run(lease: Lease) -> Run:
    """Return the run, locked, if the lease still stands.

    An expired lease that nobody has taken over stands: there is no other worker to protect.

    Raises:
        LeaseLostError: If it does not.
    """
    run = lock_run(lease.run_id)
    if run.lease_token != lease.token:
        raise lost(lease)
    return run


def latest_checkpoint(run_id: UUID) -> Checkpoint | None:
    newest = newest_checkpoint(run_id)
    return None if newest is None else Checkpoint(*newest)


def recovery(run: Run, checkpoint: Checkpoint | None) -> tuple[Data, ...]:
    """Return the event that says that the worker of a run was lost, and what survived."""
    from_round = checkpoint.round_index if checkpoint else 0
    return (RecoveredData(reason=f"{run.lease_holder} went silent.", from_round=from_round),)


def lost(lease: Lease) -> LeaseLostError:
    return LeaseLostError("This worker no longer owns the run.", run_id=str(lease.run_id))


def _end(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.LEASE_S)

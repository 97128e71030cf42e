"""How every service changes a run: lock it, decide, then one guarded update with its events."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from webapp.errors import ConflictError, NotFoundError
from webapp.jobs import hints
from webapp.jobs.events import KINDS, Data, StateChangedData
from webapp.jobs.models import Run, RunEvent
from webapp.jobs.queue import (
    next_reminder,
    send_advance_on_commit,
    send_advance_sweep_on_commit,
)
from webapp.jobs.services.notify_end import notify_of_run
from webapp.jobs.states import (
    FINAL_STATES,
    WORKABLE_STATES,
    RequestedAction,
    RunAction,
    RunState,
    actions_for,
    is_legal,
)

#: What a run looks like that no worker holds.
FREE: dict[str, Any] = {"lease_token": None, "lease_holder": "", "lease_expires_at": None}


class IllegalTransitionError(ConflictError):
    code = "illegal_transition"


class ConcurrentChangeError(ConflictError):
    code = "concurrent_change"


def lock_run(run_id: UUID) -> Run:
    """Return the run as it is now; nobody else can change it before the transaction ends.

    SQLite has no row locks and needs none: its transactions take the database's write lock when
    they begin (see ``settings.database``).
    """
    try:
        return Run.objects.select_for_update().defer("spec").get(pk=run_id)
    except Run.DoesNotExist:
        raise NotFoundError("There is no such run.") from None


def refuse_unless_allowed(run: Run, action: RunAction) -> None:
    state = RunState(run.state)
    if action not in actions_for(state, RequestedAction(run.requested_action)):
        pending = (
            ""
            if run.requested_action == RequestedAction.NONE
            else (f", and {run.requested_action} has been requested")
        )
        raise IllegalTransitionError(f"Cannot {action} this run: it is {state}{pending}.")


def change(run: Run, *events: Data, now: datetime, **changes: Any) -> None:
    """Update a locked run and add its events, numbered without a gap.

    The guard repeats what the lock ensures, so that a caller without the lock fails loudly
    instead of giving two events the same number. The lock also orders commits: whoever sees event
    n sees all events before it.
    """
    last_seq = run.last_seq + len(events)
    hit = Run.objects.filter(pk=run.pk, state=run.state, last_seq=run.last_seq).update(
        **changes, last_seq=last_seq
    )
    if hit != 1:
        raise ConcurrentChangeError("The run was changed by somebody else. Try again.")
    RunEvent.objects.bulk_create(
        RunEvent(
            run_id=run.pk,
            seq=seq,
            kind=KINDS[type(data)],
            data=data.model_dump(mode="json", by_alias=True),
            created_at=now,
        )
        for seq, data in enumerate(events, start=run.last_seq + 1)
    )
    for name, value in {**changes, "last_seq": last_seq}.items():
        setattr(run, name, value)
    transaction.on_commit(lambda: hints.publish(run.pk))


def transition(
    run: Run, to: RunState, *events: Data, reason: str, now: datetime, **changes: Any
) -> None:
    """Move a locked run to another state; the other events come first, the new state last."""
    before = RunState(run.state)
    if not is_legal(before, to):
        raise IllegalTransitionError(f"A run that is {before} cannot become {to}.")
    moved = StateChangedData.model_validate({"from": before, "to": to, "reason": reason})
    change(run, *events, moved, now=now, state=to, **changes)
    if to in FINAL_STATES:
        notify_of_run(run, now)
    if to in FINAL_STATES and run.point is not None:
        send_advance_sweep_on_commit(run.job_id)
    if to not in WORKABLE_STATES:
        _wake_next(run)


def _wake_next(run: Run) -> None:
    """Send the hint of a run that may have waited for its project to have fewer under way.

    Its own hint may be gone: a worker that found the project at its limit took another run.
    """
    following = Run.objects.waiting().filter(project_id=run.project_id, queue=run.queue)
    first = following.order_by("-priority", "queued_at").values_list("pk", flat=True).first()
    if first is not None:
        send_advance_on_commit(first, run.queue)


def join_queue(run: Run, now: datetime) -> dict[str, Any]:
    """Tell the workers about a run that goes to the end of its queue; return what changes."""
    send_advance_on_commit(run.pk, run.queue)
    due = next_reminder(0, now)
    return {"queued_at": now, "hints_sent": 1, "hint_due_at": due, "parts_out": False}


def cancel_reason(run: Run) -> str:
    """Return why a run ends that was asked to."""
    if run.pruned:
        return "Ended early: other runs of its sweep were better after as many rounds."
    return "Cancelled on request."


def settle_request(run: Run, now: datetime) -> bool:
    """Do at once what was asked of a run whose worker is gone; False if nothing was."""
    if run.requested_action == RequestedAction.CANCEL:
        to = RunState.CANCELLED
        transition(run, to, reason=cancel_reason(run), now=now, finished_at=now, **_SETTLED)
    elif run.requested_action == RequestedAction.PAUSE:
        transition(run, RunState.PAUSED, reason="Paused on request.", now=now, **_SETTLED)
    else:
        return False
    return True


_SETTLED: dict[str, Any] = {**FREE, "requested_action": RequestedAction.NONE}

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from webapp.jobs.models import Run
from webapp.jobs.queue import next_reminder, send_advance_on_commit
from webapp.jobs.services.leases import latest_checkpoint, recovery
from webapp.jobs.services.run_changes import FREE, change, join_queue, lock_run, settle_request
from webapp.jobs.states import WORKABLE_STATES, SweepState
from webapp.jobs.sweep_models import Sweep

#: Only the head of the queue is reminded of: the rest cannot be taken before it anyway.
_HEAD = 20


def reconcile(*, now: datetime) -> list[UUID]:
    """Repair what a crash or a lost message left: return the runs that workers were told about."""
    return [*_free_abandoned(now), *_remind_of_waiting(now)]


def sweeps_to_advance() -> list[UUID]:
    """Return the sweeps that are under way, for whoever can make their next runs."""
    running = Sweep.objects.filter(state=SweepState.RUNNING)
    return list(running.values_list("pk", flat=True))


def _free_abandoned(now: datetime) -> list[UUID]:
    abandoned = Run.objects.abandoned(now).values_list("pk", flat=True)
    return [run_id for run_id in list(abandoned) if _free(run_id, now)]


@transaction.atomic
def _free(run_id: UUID, now: datetime) -> bool:
    """Take a run from a silent worker; False if that has been settled in the meantime."""
    run = lock_run(run_id)
    if run.lease_token is None or run.is_held(now) or settle_request(run, now):
        return False
    events = recovery(run, latest_checkpoint(run.pk))
    change(run, *events, now=now, **FREE, **join_queue(run, now))
    return True


@transaction.atomic
def _remind_of_waiting(now: datetime) -> list[UUID]:
    waiting = Run.objects.filter(
        state__in=WORKABLE_STATES, lease_token=None, hint_due_at__lte=now
    ).order_by("queued_at")[:_HEAD]
    reminded = []
    for run in waiting.defer("spec"):
        # Not an event: nobody's view of the run changes.
        due = next_reminder(run.hints_sent, now)
        hit = Run.objects.filter(pk=run.pk, lease_token=None, hint_due_at=run.hint_due_at).update(
            hint_due_at=due, hints_sent=run.hints_sent + 1
        )
        if hit == 1:
            send_advance_on_commit(run.pk, run.queue)
            reminded.append(run.pk)
    return reminded

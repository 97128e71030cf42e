from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from webapp.jobs.clock import database_now
from webapp.jobs.models import ClientTable
from webapp.jobs.services.leases import Lease, lock_leased_run
from webapp.jobs.services.run_changes import change, transition
from webapp.jobs.states import RunState


@transaction.atomic
def mark_running(
    *,
    lease: Lease,
    executor: str,
    client_table: Sequence[dict[str, Any]] = (),
    now: datetime | None = None,
) -> None:
    """Say that the data is loaded and training begins; calling it again does no harm.

    Args:
        lease: The right to work on the run.
        executor: Which of the engine's ways to run clients was picked.
        client_table: One mapping per client with ``client_id``, ``num_samples`` and, where there
            are classes, ``class_counts``.
        now: Time of the change; the clock's if not given.
    """
    now = now or database_now()
    run = lock_leased_run(lease)
    if client_table:
        ClientTable.objects.update_or_create(
            run_id=run.pk, defaults={"clients": list(client_table)}
        )
    if run.state == RunState.STARTING:
        reason = "Training has begun."
        transition(run, RunState.RUNNING, reason=reason, now=now, started_at=now, executor=executor)
    elif run.executor != executor:
        change(run, now=now, executor=executor)

from __future__ import annotations

from datetime import datetime
from typing import Literal

from django.db import transaction

from webapp.jobs.clock import database_now
from webapp.jobs.events import LogData
from webapp.jobs.services.leases import Lease, lock_leased_run
from webapp.jobs.services.run_changes import change


@transaction.atomic
def log_message(
    *,
    lease: Lease,
    level: Literal["info", "warning", "error"],
    message: str,
    now: datetime | None = None,
) -> None:
    """Tell the viewers of a run something, for example that a step is being tried again."""
    run = lock_leased_run(lease)
    change(run, LogData(level=level, message=message), now=now or database_now())

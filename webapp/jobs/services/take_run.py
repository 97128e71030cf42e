from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from webapp.jobs.clock import database_now
from webapp.jobs.models import Run
from webapp.jobs.operation_models import ProjectShare
from webapp.jobs.queue_order import has_room, next_in
from webapp.jobs.services.leases import Lease, acquire_lease

#: When so many runs in a row were taken by others, they serve the queue well enough.
_TRIES = 8


def take_run(*, hint: UUID, queue: str, holder: str, now: datetime | None = None) -> Lease | None:
    """Take the run whose turn it is; None if no run in the queue may be taken.

    A message names the run that sent it, and there is a message for each run that waits. Which of
    them is taken is decided here, from the database: projects take turns, and within a project the
    priority decides. So a message counts, and what it names is only the way out when nothing waits
    in the order: a run whose worker went silent a moment ago is not free yet but can be taken over.

    Args:
        hint: The run that the message names.
        queue: The queue that the worker serves.
        holder: Who takes it, for people.
        now: Time of the change; the clock's if not given.
    """
    now = now or database_now()
    for place in next_in(queue, _TRIES):
        lease = _take(place.run_id, place.project_id, holder, now)
        if lease is not None:
            return lease
    if Run.objects.waiting().filter(pk=hint, queue=queue).exists():
        return None
    return acquire_lease(run_id=hint, holder=holder, now=now)


@transaction.atomic
def _take(run_id: UUID, project_id: UUID, holder: str, now: datetime) -> Lease | None:
    # The lock makes two workers that take runs of one project see each other: a limit of one run
    # is one run. It is taken before the run's own, by everybody.
    ProjectShare.objects.get_or_create(project_id=project_id)
    mine = ProjectShare.objects.select_for_update().get(project_id=project_id)
    if not has_room(mine):
        return None
    lease = acquire_lease(run_id=run_id, holder=holder, now=now)
    if lease is not None:
        mine.last_taken_at = now
        mine.save(update_fields=["last_taken_at"])
    return lease

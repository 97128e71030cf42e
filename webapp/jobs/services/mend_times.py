"""What was due in seconds and, since the database's clock was set back, is due in hours."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from webapp.jobs.models import Chunk, Run
from webapp.jobs.queue import LONGEST_REMINDER


def mend_times(*, now: datetime) -> int:
    """Bring back what lies further ahead than anybody ever plans; return how many rows did.

    A lease then ends after its usual time, unless its worker is alive and renews it, which it does
    several times a second. A reminder is due at once. A clock that is set forward needs nothing:
    leases that end too early are renewed, or their runs are taken up from their checkpoints.
    """
    lease = timedelta(seconds=settings.LEASE_S)
    # Twice, as a margin: what is renewed meanwhile ends a little later than this turn expects.
    too_late, ends = now + 2 * lease, now + lease
    mended = 0
    for rows in (Run.objects, Chunk.objects):
        mended += rows.filter(lease_expires_at__gt=too_late).update(lease_expires_at=ends)
        mended += rows.filter(hint_due_at__gt=now + 2 * LONGEST_REMINDER).update(hint_due_at=now)
    return mended

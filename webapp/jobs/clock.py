"""What time it is: the database's, which all processes of an installation share.

Leases and reminders compare times that different machines have written. The clocks of machines
differ, and are set while runs train; between two ends of one lease there must be one clock.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection
from django.utils import timezone


def database_now() -> datetime:
    """Return the time by the clock of the database; SQLite's is the one of its only machine."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        # Not now(), which stands still in a transaction: one may wait long for a run's lock.
        cursor.execute("SELECT clock_timestamp()")
        row = cursor.fetchone()
    moment: datetime = row[0]
    return moment

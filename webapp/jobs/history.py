"""Reading what a run has recorded, in the form in which it is sent.

Callers have checked that the user may see the run. Rows were validated when they were written, so
they are not validated again: a long run has many.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from webapp.jobs.models import RoundRecord, Run, RunEvent


def events_after(run_id: UUID, after: int, limit: int) -> list[dict[str, Any]]:
    """Return the next events in order, at most ``limit`` of them."""
    rows = RunEvent.objects.filter(run_id=run_id, seq__gt=after).order_by("seq")[:limit]
    return [
        {"seq": seq, "kind": kind, "at": created_at.isoformat(), "data": data}
        for seq, kind, created_at, data in rows.values_list("seq", "kind", "created_at", "data")
    ]


def round_rows(run: Run) -> list[dict[str, Any]]:
    """Return all rounds of a run in order."""
    rows = RoundRecord.objects.filter(run=run).order_by("round_index")
    return [
        {
            "round": row.round_index,
            "metrics": row.metrics,
            "bytes_up": row.bytes_up,
            "bytes_down": row.bytes_down,
            "seconds": row.seconds,
            "sim_seconds": row.sim_seconds,
            "participants": row.participants,
            "recorded_at": row.recorded_at.isoformat(),
        }
        for row in rows.defer("clients", "scores")
    ]

"""What went wrong in a run: the first cause, and the clients' troubles grouped by their reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, Field

from webapp.jobs.failures import Failure
from webapp.jobs.models import RoundRecord, Run

#: Clients and rounds that a group names; it counts all of them.
MAX_NAMED = 20

Status = Literal["failed", "refused"]

#: Numbers and names differ from client to client where the reason is the same.
_VARYING = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?|0x[0-9a-f]+", re.IGNORECASE)
_FIXES = (
    ("not finite", "Training diverged on these clients. Lower local.lr, or clip updates."),
    ("simulated", "These clients dropped out as system.dropout asks. Lower it, or sample more."),
    ("deadline", "These clients were too slow. Raise runtime.deadline_s, or sample more."),
    ("out of memory", "Use a smaller model or batch size, or a worker with more memory."),
    ("MemoryError", "Use a smaller model or batch size, or a worker with more memory."),
    (
        "longer than",
        "These updates were far longer than usual. Lower local.lr, or look at the data.",
    ),
    ("no examples", "These clients hold no data. Use fewer clients or a more even partition."),
)
_NO_FIX = {
    "failed": "The worker's log has the details under this run's id.",
    "refused": "Look at these clients' data and settings; the round went on without them.",
}


class FailureGroup(BaseModel):
    """Clients that had the same trouble."""

    status: Status
    message: str = Field(description="The reason, as the first of these clients gave it.")
    fix: str
    count: int = Field(description="How often, over all clients and rounds.")
    num_clients: int
    clients: list[int | str] = Field(description=f"At most {MAX_NAMED} of them.")
    rounds: list[int] = Field(description=f"The first {MAX_NAMED} rounds in which it happened.")


class FailureReport(BaseModel):
    """The first cause of a failed run, and the troubles of its clients, the earliest first."""

    failure: Failure | None
    groups: list[FailureGroup]


@dataclass
class _Group:
    status: Status
    message: str
    count: int = 0
    clients: dict[str, int | str] = field(default_factory=dict)
    rounds: set[int] = field(default_factory=set)

    def shown(self) -> FailureGroup:
        advice = (fix for words, fix in _FIXES if words in self.message)
        return FailureGroup(
            status=self.status,
            message=self.message,
            fix=next(advice, _NO_FIX[self.status]),
            count=self.count,
            num_clients=len(self.clients),
            clients=list(self.clients.values())[:MAX_NAMED],
            rounds=sorted(self.rounds)[:MAX_NAMED],
        )


def failure_report(run: Run) -> FailureReport:
    """Return all troubles of a run; the caller has checked that the user may see it."""
    groups: dict[tuple[str, str], _Group] = {}
    for round_index, client in _troubles(run):
        reason = client["reason"] or "no reason was given"
        key = (client["status"], _VARYING.sub("#", reason))
        group = groups.setdefault(key, _Group(client["status"], reason))
        group.count += 1
        group.clients.setdefault(str(client["client_id"]), client["client_id"])
        group.rounds.add(round_index)
    shown = sorted(groups.values(), key=lambda group: (min(group.rounds), -group.count))
    failure = Failure.model_validate(run.failure) if run.failure else None
    return FailureReport(failure=failure, groups=[group.shown() for group in shown])


def _troubles(run: Run) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield what was recorded, round by round, and last the round that ended the run."""
    rounds = RoundRecord.objects.filter(run=run).order_by("round_index")
    for round_index, clients in rounds.values_list("round_index", "clients").iterator():
        for client in clients:
            if client["status"] in ("failed", "refused"):
                yield round_index, client
    last_round = (run.failure or {}).get("round_index")
    for client in run.failed_clients:
        yield run.rounds_done if last_round is None else last_round, client

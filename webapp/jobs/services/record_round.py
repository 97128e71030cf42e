from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Annotated, Any

from django.db import transaction
from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from webapp.artifacts.services import discard_file
from webapp.errors import ConflictError
from webapp.jobs.clock import database_now
from webapp.jobs.events import ClientRefusedData, Data, LogData, RoundRow
from webapp.jobs.models import ClientTable, RoundRecord, Run
from webapp.jobs.services.compare_at_rung import compare_at_rung
from webapp.jobs.services.leases import Lease, lock_leased_run
from webapp.jobs.services.run_changes import IllegalTransitionError, change
from webapp.jobs.states import RunState

#: Weight of the newest round in the moving average that the time left is computed from.
_NEWEST = 0.3


class RoundGapError(ConflictError):
    """A round was reported before the one that precedes it."""

    code = "round_gap"


def _finite_or_none(value: object) -> object:
    """JSON has no word for NaN or infinity; a diverged loss is stored as null."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


Number = Annotated[float | None, BeforeValidator(_finite_or_none)]


class ClientReport(BaseModel):
    """What one client did in a round."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    client_id: int | str
    num_samples: int
    loss: Number = None
    duration_s: float
    bytes_up: int
    bytes_down: int
    status: str
    reason: str | None = None


class ClientScore(BaseModel):
    """How the global model, and the client's own, do on one client's test examples."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    client_id: int | str
    num_samples: int
    accuracy: Number = None
    loss: Number = None
    personal_accuracy: Number = None
    personal_loss: Number = None


class RoundReport(BaseModel):
    """What the engine says about a round: ``RoundReport.to_json()`` of the engine."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    round_index: int = Field(ge=0, validation_alias=AliasChoices("round_index", "round"))
    metrics: dict[str, Number]
    bytes_up: int
    bytes_down: int
    seconds: float
    sim_seconds: float
    participants: int
    clients: tuple[ClientReport, ...] = ()
    scores: tuple[ClientScore, ...] = ()
    #: Pairs of clients that talked to each other.
    links: tuple[tuple[int | str, int | str], ...] = ()

    def events(self, now: datetime) -> list[Data]:
        row = RoundRow(
            round=self.round_index,
            metrics=self.metrics,
            bytes_up=self.bytes_up,
            bytes_down=self.bytes_down,
            seconds=self.seconds,
            sim_seconds=self.sim_seconds,
            participants=self.participants,
            recorded_at=now,
        )
        return [*(event for client in self.clients for event in self._trouble(client)), row]

    def _trouble(self, client: ClientReport) -> list[Data]:
        reason = client.reason or "no reason was given"
        if client.status == "refused":
            return [
                ClientRefusedData(
                    round_index=self.round_index, client_id=client.client_id, reason=reason
                )
            ]
        if client.status == "failed":
            message = f"Round {self.round_index}: client {client.client_id} failed: {reason}"
            return [LogData(level="warning", message=message)]
        return []


@transaction.atomic
def record_rounds(
    *,
    lease: Lease,
    reports: Sequence[dict[str, Any]],
    ages_s: Sequence[float] = (),
    now: datetime | None = None,
) -> None:
    """Write finished rounds, their totals and their events; writing them again changes nothing.

    A worker that went on from a checkpoint trains rounds once more that are recorded already.
    They come out the same, so the first record stands and no event is doubled.

    Args:
        lease: The right to work on the run.
        reports: What the engine says of each round, in their order.
        ages_s: How long ago each of them ended; by default just now.
        now: Time of the change; the clock's if not given.

    Raises:
        LeaseLostError: If the run belongs to somebody else by now.
        RoundGapError: If an earlier round is missing.
    """
    write_rounds(lock_leased_run(lease), reports, now or database_now(), ages_s)


def record_round(*, lease: Lease, report: dict[str, Any], now: datetime | None = None) -> None:
    """Write one finished round, as ``record_rounds``."""
    record_rounds(lease=lease, reports=[report], now=now)


def write_rounds(
    run: Run,
    reports: Sequence[dict[str, Any]],
    now: datetime,
    ages_s: Sequence[float] = (),
    **further: Any,
) -> None:
    """Add finished rounds to a locked run; what else changes of it then is written with them."""
    rows: list[RoundRecord] = []
    events: list[Data] = []
    changes: dict[str, Any] = {}
    links = None
    for report, age_s in zip_longest(reports, ages_s, fillvalue=0.0):
        parsed = RoundReport.model_validate(report)
        if parsed.round_index < run.rounds_done:
            continue
        _refuse_out_of_turn(run, parsed)
        ended_at = now - timedelta(seconds=age_s)
        fields = parsed.model_dump(mode="json", exclude={"links"})
        rows.append(RoundRecord(run=run, recorded_at=ended_at, **fields))
        links = parsed.links or links
        progress = _progress(run, parsed)
        news, compared = compare_at_rung(run, progress)
        events += [*parsed.events(ended_at), *news]
        changes |= {**progress, **compared}
        for name, value in {**progress, **compared}.items():
            setattr(run, name, value)
    if rows:
        RoundRecord.objects.bulk_create(rows)
        if run.kept_updates:
            discard_kept_updates(run)
            changes["kept_updates"] = None
        if links:
            ClientTable.objects.filter(run=run).update(links=links)
    if rows or further:
        change(run, *events, now=now, **changes, **further)


def discard_kept_updates(run: Run) -> None:
    """Remove the file of updates that are of no more use; forgetting it is the caller's."""
    if run.kept_updates:
        key = run.kept_updates["key"]
        transaction.on_commit(lambda: discard_file(key=key), robust=True)


def _refuse_out_of_turn(run: Run, report: RoundReport) -> None:
    if report.round_index > run.rounds_done:
        raise RoundGapError(
            f"Round {report.round_index} cannot follow {run.rounds_done} recorded rounds."
        )
    if run.state != RunState.RUNNING:
        raise IllegalTransitionError(f"A run that is {run.state} has no rounds to record.")


def _progress(run: Run, report: RoundReport) -> dict[str, Any]:
    before = run.recent_round_s
    recent = report.seconds if before is None else before + _NEWEST * (report.seconds - before)
    return {
        "rounds_done": report.round_index + 1,
        # A round without evaluation has fewer metrics; the last known values stay.
        "latest_metrics": {**run.latest_metrics, **report.metrics},
        "bytes_up": run.bytes_up + report.bytes_up,
        "bytes_down": run.bytes_down + report.bytes_down,
        "seconds": run.seconds + report.seconds,
        "sim_seconds": run.sim_seconds + report.sim_seconds,
        "recent_round_s": recent,
    }

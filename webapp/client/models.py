"""The parts of the API's answers that programs use; unknown keys are ignored on purpose.

A client may be older than the server it talks to, so it must not refuse what a newer one adds.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Failure(Answer):
    code: str
    message: str
    client_id: int | str | None = None
    round_index: int | None = None
    field: str | None = None
    fix: str | None = None


class JobRef(Answer):
    id: UUID
    name: str


class Run(Answer):
    id: UUID
    number: int
    name: str
    state: str
    is_final: bool
    rounds_total: int
    rounds_done: int
    job: JobRef | None = None
    latest_metrics: dict[str, float | None] = Field(default_factory=dict)
    totals: dict[str, float] = Field(default_factory=dict)
    executor: str | None = None
    failure: Failure | None = None
    eta_s: float | None = None
    last_seq: int = 0
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


class Point(Answer):
    """One combination of settings of a sweep."""

    values: dict[str, Any]
    mean: float | None = None
    std: float | None = None


class Sweep(Answer):
    state: str
    metric: str
    runs_total: int
    runs_made: int
    runs_by_state: dict[str, int]
    best: Point | None = None


class Job(Answer):
    id: UUID
    name: str
    runs: tuple[Run, ...] = ()
    sweep: Sweep | None = None


class Event(Answer):
    seq: int
    kind: str
    data: dict[str, Any]
    at: datetime


class EventPage(Answer):
    events: tuple[Event, ...]
    last_seq: int
    has_more: bool = False


class RoundRow(Answer):
    round: int
    metrics: dict[str, float | None]
    bytes_up: int
    bytes_down: int
    seconds: float
    sim_seconds: float
    participants: int


class CreatedToken(Answer):
    id: int | str
    name: str
    token: str

"""The workers of the installation, for everybody who waits for one."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from pydantic import BaseModel, Field
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp.accounts.permissions import signed_in
from webapp.jobs.clock import database_now
from webapp.jobs.models import Queue, Run
from webapp.jobs.operation_models import WORKER_SILENCE, Worker
from webapp.jobs.selectors import visible_runs


class Card(BaseModel):
    """A graphics card."""

    name: str
    memory_bytes: int


class Hardware(BaseModel):
    cpus: int
    processor: str
    memory_bytes: int
    gpus: list[Card]


class Load(BaseModel):
    load_1m: float = Field(description="Processes that wanted a processor, over a minute.")
    memory_available_bytes: int | None


class WorkerRow(BaseModel):
    """One worker process."""

    id: UUID
    name: str
    host: str
    version: str
    queues: list[str]
    hardware: Hardware
    load: Load
    is_alive: bool = Field(description="Whether it was heard of lately.")
    is_busy: bool
    run: UUID | None = Field(description="What it works on, if the user may see that.")
    started_at: datetime
    seen_at: datetime


class WorkerList(BaseModel):
    workers: list[WorkerRow]
    waiting: dict[str, int] = Field(description="Runs that wait, by queue; of all projects.")


class WorkerListView(APIView):
    """Who works here, on what hardware, and how busy it is."""

    @extend_schema(responses=WorkerList, tags=["workers"])
    def get(self, request: Request) -> Response:
        user = signed_in(request)
        now = database_now()
        workers = list(Worker.objects.order_by("host", "name", "started_at"))
        busy = [worker.run_id for worker in workers if worker.run_id]
        mine = set(visible_runs(user).filter(pk__in=busy).values_list("pk", flat=True))
        answer = WorkerList(
            workers=[_row(worker, mine, now) for worker in workers],
            waiting={queue: Run.objects.waiting().filter(queue=queue).count() for queue in Queue},
        )
        return Response(answer.model_dump(mode="json"))


def _row(worker: Worker, mine: set[Any], now: datetime) -> WorkerRow:
    return WorkerRow(
        id=worker.pk,
        name=worker.name,
        host=worker.host,
        version=worker.version,
        queues=worker.queues,
        hardware=Hardware.model_validate(worker.hardware),
        load=Load.model_validate(worker.load),
        is_alive=worker.seen_at > now - WORKER_SILENCE,
        is_busy=worker.run_id is not None,
        run=worker.run_id if worker.run_id in mine else None,
        started_at=worker.started_at,
        seen_at=worker.seen_at,
    )

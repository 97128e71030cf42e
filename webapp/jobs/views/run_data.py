"""What a run has produced so far: its curve, its clients, its events."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from pydantic import BaseModel
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp.accounts.permissions import signed_in
from webapp.jobs.client_rows import ClientRow, client_rows
from webapp.jobs.down_sampling import chosen_points
from webapp.jobs.events import Event, RoundRow
from webapp.jobs.history import events_after, round_rows
from webapp.jobs.selectors import get_run

MAX_POINTS = 5_000
MAX_EVENTS = 1_000


class Rounds(BaseModel):
    """The curve of a run, in order; thinned out where it has more rounds than were asked for."""

    rounds: list[RoundRow]
    down_sampled: bool
    total: int


class Clients(BaseModel):
    clients: list[ClientRow]


class EventPage(BaseModel):
    """Events after a number, without gaps; ask again after the last one if there are more."""

    events: list[Event]
    last_seq: int
    has_more: bool


class MetricsQuerySerializer(serializers.Serializer[Any]):
    max_points = serializers.IntegerField(min_value=10, max_value=MAX_POINTS, default=1_000)


class EventsQuerySerializer(serializers.Serializer[Any]):
    after = serializers.IntegerField(min_value=0, max_value=2**31 - 1, default=0)
    limit = serializers.IntegerField(min_value=1, max_value=MAX_EVENTS, default=500)


class RunMetricsView(APIView):
    @extend_schema(parameters=[MetricsQuerySerializer], responses=Rounds, tags=["runs"])
    def get(self, request: Request, run_id: UUID) -> Response:
        query = MetricsQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        run = get_run(signed_in(request), run_id)
        rows = round_rows(run)
        kept = chosen_points([row["metrics"] for row in rows], query.validated_data["max_points"])
        return Response(
            {
                "rounds": [rows[index] for index in kept],
                "down_sampled": len(kept) < len(rows),
                "total": len(rows),
            }
        )


class RunClientsView(APIView):
    @extend_schema(responses=Clients, tags=["runs"])
    def get(self, request: Request, run_id: UUID) -> Response:
        run = get_run(signed_in(request), run_id)
        return Response({"clients": [row.model_dump(mode="json") for row in client_rows(run)]})


class RunEventsView(APIView):
    @extend_schema(parameters=[EventsQuerySerializer], responses=EventPage, tags=["runs"])
    def get(self, request: Request, run_id: UUID) -> Response:
        query = EventsQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        run = get_run(signed_in(request), run_id)
        events = events_after(run.pk, **query.validated_data)
        last_sent = events[-1]["seq"] if events else query.validated_data["after"]
        return Response(
            {"events": events, "last_seq": run.last_seq, "has_more": last_sent < run.last_seq}
        )

"""What a run has produced so far: its curve, its clients, its events."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponseBase, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from pydantic import BaseModel
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp.accounts.permissions import signed_in
from webapp.api.compressed import compressed
from webapp.api.pieces import in_pieces
from webapp.jobs.client_rounds import ClientMetric, ClientRounds, client_rounds
from webapp.jobs.client_rows import ClientRow, client_links, client_rows
from webapp.jobs.down_sampling import chosen_points
from webapp.jobs.events import Event, RoundRow
from webapp.jobs.failure_groups import FailureReport, failure_report
from webapp.jobs.history import events_after, round_rows
from webapp.jobs.log_lines import (
    LogFilter,
    LogLevel,
    LogLine,
    lines_after,
    newest_lines,
    text_of,
)
from webapp.jobs.models import Run
from webapp.jobs.selectors import get_run

MAX_POINTS = 10_000
MAX_EVENTS = 1_000
#: What a round adds to what the rounds before it have cost.
_COSTS = ("bytes_up", "bytes_down", "seconds", "sim_seconds")


class Rounds(BaseModel):
    """The curve of a run, in order; thinned out where it has more rounds than were asked for."""

    rounds: list[RoundRow]
    down_sampled: bool
    total: int


class Clients(BaseModel):
    clients: list[ClientRow]
    #: Pairs of clients that talked to each other in the latest round; none with a server.
    links: list[list[int | str]]


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


class ClientRoundsQuerySerializer(serializers.Serializer[Any]):
    metric = serializers.ChoiceField(
        choices=[metric.value for metric in ClientMetric], default=ClientMetric.LOSS.value
    )


class LogQuerySerializer(serializers.Serializer[Any]):
    level = serializers.ChoiceField(
        choices=[level.value for level in LogLevel],
        default=LogLevel.INFO.value,
        help_text="The least level that is wanted.",
    )
    client = serializers.CharField(required=False, max_length=80)
    text = serializers.CharField(required=False, max_length=200)
    after = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=2**31 - 1,
        help_text="Lines after this event; if left out, the newest lines.",
    )
    limit = serializers.IntegerField(min_value=1, max_value=MAX_EVENTS, default=500)
    download = serializers.BooleanField(default=False, help_text="Everything, as a text file.")


class LogPage(BaseModel):
    """Lines in order; ask again after ``cursor`` for what comes next."""

    lines: list[LogLine]
    cursor: int
    has_more: bool


@compressed
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
                "rounds": _thinned(rows, kept),
                "down_sampled": len(kept) < len(rows),
                "total": len(rows),
            }
        )


def _thinned(rows: list[dict[str, Any]], kept: list[int]) -> list[dict[str, Any]]:
    """Return the rows that are kept, each with the costs of those left out before it."""
    if len(kept) == len(rows):
        return rows
    thinned, start = [], 0
    for index in kept:
        stretch = rows[start : index + 1]
        costs = {name: sum(row[name] for row in stretch) for name in _COSTS}
        thinned.append({**rows[index], **costs})
        start = index + 1
    return thinned


@compressed
class RunClientsView(APIView):
    @extend_schema(responses=Clients, tags=["runs"])
    def get(self, request: Request, run_id: UUID) -> Response:
        run = get_run(signed_in(request), run_id)
        rows = [row.model_dump(mode="json") for row in client_rows(run)]
        return Response({"clients": rows, "links": client_links(run)})


class RunFailuresView(APIView):
    """Why a run failed, and what its clients had trouble with, grouped by reason."""

    @extend_schema(responses=FailureReport, tags=["runs"])
    def get(self, request: Request, run_id: UUID) -> Response:
        run = get_run(signed_in(request), run_id)
        return Response(failure_report(run).model_dump(mode="json"))


@compressed
class RunEventsView(APIView):
    @extend_schema(parameters=[EventsQuerySerializer], responses=EventPage, tags=["runs"])
    def get(self, request: Request, run_id: UUID) -> Response:
        query = EventsQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        run = get_run(signed_in(request), run_id)
        events = events_after(run.pk, **query.validated_data)
        # Of a run that ended long ago, the events may have been removed.
        asked_after = max(query.validated_data["after"], run.trimmed_seq)
        last_sent = events[-1]["seq"] if events else asked_after
        return Response(
            {"events": events, "last_seq": run.last_seq, "has_more": last_sent < run.last_seq}
        )


@compressed
class RunClientRoundsView(APIView):
    @extend_schema(parameters=[ClientRoundsQuerySerializer], responses=ClientRounds, tags=["runs"])
    def get(self, request: Request, run_id: UUID) -> Response:
        """Return what each client did in each round."""
        query = ClientRoundsQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        run = get_run(signed_in(request), run_id)
        table = client_rounds(run, ClientMetric(query.validated_data["metric"]))
        return Response(table.model_dump(mode="json"))


class RunLogView(APIView):
    @extend_schema(
        parameters=[LogQuerySerializer],
        responses={
            (200, "application/json"): LogPage,
            (200, "text/plain"): OpenApiTypes.STR,  # of ``download``
        },
        tags=["runs"],
    )
    def get(self, request: Request, run_id: UUID) -> HttpResponseBase:
        """Return what happened to a run as lines of text."""
        query = LogQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        run = get_run(signed_in(request), run_id)
        asked = query.validated_data
        wanted = LogFilter(LogLevel(asked["level"]), asked.get("client"), asked.get("text"))
        if asked["download"]:
            pieces = in_pieces(request, text_of(run, wanted))
            answer = StreamingHttpResponse(pieces, "text/plain; charset=utf-8")
            answer.headers["Content-Disposition"] = f'attachment; filename="run-{run.pk}.log"'
            return answer
        return Response(_log_page(run, wanted, asked.get("after"), asked["limit"]))


def _log_page(run: Run, wanted: LogFilter, after: int | None, limit: int) -> dict[str, Any]:
    if after is None:
        # What was logged since the run was read is found by the next request.
        lines = [line for line in newest_lines(run, wanted, limit) if line.seq <= run.last_seq]
        cursor = run.last_seq
    else:
        lines, cursor = lines_after(run, after, wanted, limit)
    page = LogPage(lines=lines, cursor=cursor, has_more=cursor < run.last_seq)
    return page.model_dump(mode="json")

"""Reading and exporting the audit log."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request

from webapp.accounts.models import AuditEntry, Membership, User
from webapp.accounts.permissions import signed_in
from webapp.accounts.roles import Permission, Role, lowered, roles_with
from webapp.api.pagination import CursorPagination
from webapp.api.pieces import in_pieces

#: Entries of an export that are in memory at the same time.
_CHUNK = 500
#: A spreadsheet takes a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_COLUMNS = (
    "at",
    "actor_name",
    "credential",
    "address",
    "action",
    "object_type",
    "object_id",
    "object_name",
    "project_id",
    "before",
    "after",
    "request_id",
)


class AuditEntrySerializer(serializers.ModelSerializer[AuditEntry]):
    before = serializers.JSONField(help_text="Null where there was nothing.")
    after = serializers.JSONField(help_text="Null where nothing is left.")

    class Meta:
        model = AuditEntry
        fields = ("id", "actor_id", *_COLUMNS)
        read_only_fields = fields


class AuditFilter(django_filters.FilterSet):  # type: ignore[misc]  # published without types
    project = django_filters.UUIDFilter("project_id")
    actor = django_filters.CharFilter("actor_name")
    action = django_filters.CharFilter("action", "startswith", help_text="run or run.pause")
    object = django_filters.CharFilter("object_id")
    since = django_filters.IsoDateTimeFilter("at", "gte")
    until = django_filters.IsoDateTimeFilter("at", "lt")


class AuditPagination(CursorPagination):
    ordering = "-id"


def entries_for(user: User) -> QuerySet[AuditEntry]:
    """Return what a user may read: all, as an operator; else the own acts and managed projects."""
    scope = user.token_scope
    if user.is_superuser and lowered(Role.ADMIN, scope) is Role.ADMIN:
        return AuditEntry.objects.all()
    own = Q(actor_id=user.pk)
    if Role.ADMIN not in {lowered(role, scope) for role in roles_with(Permission.MANAGE)}:
        return AuditEntry.objects.filter(own)
    managed = Membership.objects.filter(
        user=user, user__is_active=True, role__in=roles_with(Permission.MANAGE)
    )
    return AuditEntry.objects.filter(own | Q(project_id__in=managed.values("project_id")))


class AuditListView(generics.ListAPIView[AuditEntry]):
    """Who did what, the newest first."""

    serializer_class = AuditEntrySerializer
    pagination_class = AuditPagination
    filterset_class = AuditFilter
    queryset = AuditEntry.objects.none()

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        return entries_for(signed_in(self.request))


class AuditExportView(generics.GenericAPIView[AuditEntry]):
    filterset_class = AuditFilter
    queryset = AuditEntry.objects.none()
    pagination_class = None

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        return entries_for(signed_in(self.request))

    @extend_schema(
        responses={
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "application/x-ndjson"): OpenApiTypes.STR,
        },
        parameters=[OpenApiParameter("as", str, enum=["csv", "jsonl"], default="csv")],
        tags=["audit"],
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """Return the same entries as a file, however many they are."""
        entries = self.filter_queryset(self.get_queryset())
        if request.query_params.get("as") == "jsonl":
            pieces = in_pieces(request, _json_lines(entries))
            return _file(pieces, "application/x-ndjson", "audit.jsonl")
        return _file(
            in_pieces(request, _csv_lines(entries)), "text/csv; charset=utf-8", "audit.csv"
        )


def _file(
    pieces: Iterator[str] | AsyncIterator[str], kind: str, name: str
) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(pieces, content_type=kind, headers=headers)


def _csv_lines(entries: QuerySet[AuditEntry]) -> Iterator[str]:
    yield _csv([_COLUMNS])
    for rows in _chunks(entries):
        yield _csv([_cell(value) for value in row] for row in rows)


def _csv(rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _json_lines(entries: QuerySet[AuditEntry]) -> Iterator[str]:
    for rows in _chunks(entries):
        objects = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
        yield "".join(f"{json.dumps(each, default=str, ensure_ascii=False)}\n" for each in objects)


def _chunks(entries: QuerySet[AuditEntry]) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the columns of all entries, the newest first, in chunks that each are one query."""
    newest_first = entries.order_by("-id").values_list("id", *_COLUMNS)
    rows = list(newest_first[:_CHUNK])
    while rows:
        yield [row[1:] for row in rows]
        rows = list(newest_first.filter(id__lt=rows[-1][0])[:_CHUNK])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text

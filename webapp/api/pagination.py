from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError as InvalidValue
from django.db import DataError
from django.db.models import Model, QuerySet
from rest_framework import pagination
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView


class CursorPagination(pagination.CursorPagination):
    """Pages that stay right while rows are added, at a cost that does not grow with the page."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    ordering: Any = ("-created_at", "id")

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any] | None:
        """Return the rows of the page; a cursor that somebody made up is refused by name.

        The base class puts what a cursor holds into the query as it is, so a value of the wrong
        type comes back as whatever the database layer says to it.
        """
        try:
            return super().paginate_queryset(queryset, request, view)
        except (InvalidValue, ValueError, DataError, NotFound):
            raise ValidationError({self.cursor_query_param: ["There is no such page."]}) from None

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return the schema of a page; the one of the base class is of OpenAPI 3.0."""
        address = {"type": ["string", "null"], "format": "uri"}
        properties = {"next": address, "previous": address, "results": schema}
        return {"type": "object", "required": [*properties], "properties": properties}


class OrderedCursorPagination(CursorPagination):
    """Pages in the order that ``?ordering=`` asks for; the id decides between equals."""

    orderings: ClassVar[tuple[str, ...]] = ()

    def get_ordering(
        self, request: Request, queryset: QuerySet[Model], view: APIView
    ) -> tuple[str, ...]:
        wanted = request.query_params.get("ordering")
        if not wanted:
            return tuple(self.ordering)
        if wanted.removeprefix("-") not in self.orderings:
            known = ", ".join(self.orderings)
            raise ValidationError({"ordering": [f"Use one of: {known}, or - before it."]})
        return (wanted, "id")

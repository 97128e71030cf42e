from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Model, QuerySet
from rest_framework import pagination
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView


class CursorPagination(pagination.CursorPagination):
    """Pages that stay right while rows are added, at a cost that does not grow with the page."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    ordering: Any = ("-created_at", "id")

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

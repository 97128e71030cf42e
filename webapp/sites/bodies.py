"""Messages of the sites' protocol as bodies of requests and answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any, TypeVar

from django.conf import settings
from pydantic import BaseModel, ValidationError
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.api.errors import PayloadTooLarge

M = TypeVar("M", bound=BaseModel)


class OctetParser(BaseParser):
    """Bytes as they are."""

    media_type = "application/octet-stream"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, bytes]:
        """Return the body under the name ``bytes``."""
        body = stream.read(settings.MAX_BODY_BYTES + 1)
        if len(body) > settings.MAX_BODY_BYTES:
            raise PayloadTooLarge(settings.MAX_BODY_BYTES)
        return {"bytes": body}


def body_of(request: Request, message: type[M]) -> M:
    """Return the message that a request carries.

    Raises:
        ValidationError: With every problem, by its path.
    """
    try:
        # As JSON and strictly: a number in quotes is none.
        return message.model_validate_json(json.dumps(request.data), strict=True)
    except ValidationError as error:
        fields: dict[str, list[str]] = {}
        for detail in error.errors(include_input=False, include_url=False, include_context=False):
            path = ".".join(str(part) for part in detail["loc"]) or "body"
            fields.setdefault(path, []).append(detail["msg"])
        raise serializers.ValidationError(fields) from None


def piece_of(request: Request) -> bytes:
    """Return the bytes that a request carries."""
    found = request.data.get("bytes") if isinstance(request.data, dict) else None
    return found if isinstance(found, bytes) else b""


def answered(message: BaseModel, status: int = 200) -> Response:
    """Return an answer that carries a message."""
    return Response(message.model_dump(mode="json"), status=status)

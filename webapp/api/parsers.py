"""JSON from strangers: of limited size and depth, with ordinary numbers and storable text."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from django.conf import settings
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer

from webapp.api.errors import PayloadTooLarge

MAX_DEPTH = 40
#: The longest whole number that every database and JSON reader keeps.
_MAX_INTEGER_DIGITS = 19


class StrictJSONParser(BaseParser):
    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        # A request that names no type, or any, is taken for JSON by the framework.
        if (media_type or "").partition(";")[0].strip().lower() != self.media_type:
            raise UnsupportedMediaType(media_type or "")
        body = stream.read(settings.MAX_BODY_BYTES + 1)
        if len(body) > settings.MAX_BODY_BYTES:
            raise PayloadTooLarge(settings.MAX_BODY_BYTES)
        return parse_json(body)


def parse_json(body: bytes) -> Any:
    """Return the value of a JSON document.

    Raises:
        ParseError: With a sentence that says what is wrong with it.
    """
    try:
        data = json.loads(
            body.decode("utf-8"),
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_moderate,
            object_pairs_hook=_without_repetition,
        )
    except UnicodeDecodeError:
        raise ParseError("The body is not UTF-8 text.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ParseError(f"The body is not JSON: {error.msg} ({where}).") from None
    except RecursionError:
        raise ParseError("The JSON is nested too deeply.") from None
    _check(data)
    return data


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse what two readers could read differently: one takes the first, the other the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ParseError("A key is given twice in one object.")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ParseError(f"{name} is not a JSON number. Give an ordinary number.")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ParseError("A number is too large.")
    return value


def _moderate(text: str) -> int:
    if len(text.lstrip("-")) > _MAX_INTEGER_DIGITS:
        raise ParseError("A whole number is too large.")
    return int(text)


def _check(data: Any) -> None:
    """Refuse deep nesting and text that no database stores; a loop, so depth cannot exhaust it."""
    waiting = [(data, 1)]
    while waiting:
        value, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise ParseError("The JSON is nested too deeply.")
        if isinstance(value, str):
            _check_text(value)
        elif isinstance(value, dict):
            for key in value:
                _check_text(key)
            waiting.extend((child, depth + 1) for child in value.values())
        elif isinstance(value, list):
            waiting.extend((child, depth + 1) for child in value)


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise ParseError("Text must not contain the NUL character.")
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ParseError("Text contains half of a surrogate pair.")

"""Which refusals an operation can answer with, for the API's schema.

Most follow from what every request goes through; a view names the others in ``refusals``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from rest_framework.permissions import SAFE_METHODS

from webapp.accounts.roles import Permission
from webapp.accounts.rules import PUBLIC, REST, Reach

#: The response in ``components`` that all of them refer to.
NAME = "Refusal"
REFERENCE = {"$ref": f"#/components/responses/{NAME}"}
_NARROW = {Reach.BROWSER, Reach.OPERATOR, Reach.SITE}
#: The rules by path, as the schema writes it.
_RULES = {re.sub(r"<\w+:(\w+)>", r"{\1}", f"/api/v1/{path}"): by for path, by in REST.items()}


def refusals_of(view: Any, path: str, method: str, operation: dict[str, Any]) -> list[str]:
    """Return the statuses, in order."""
    found = {*_of_access(path, method), *_general(view, operation), *_of_the_view(view, method)}
    return [str(int(status)) for status in sorted(found)]


def _of_access(path: str, method: str) -> Iterator[HTTPStatus]:
    rule = _RULES.get(path, {}).get(method, PUBLIC)
    if rule.reach is Reach.PUBLIC:
        return
    yield HTTPStatus.UNAUTHORIZED
    is_for_all = rule.permission is Permission.READ and rule.reach not in _NARROW
    if method not in SAFE_METHODS or not is_for_all:
        yield HTTPStatus.FORBIDDEN  # the role, the scope of a token, or a forged request


def _general(view: Any, operation: dict[str, Any]) -> Iterator[HTTPStatus]:
    places = {parameter["in"] for parameter in operation.get("parameters", ())}
    if view.throttle_classes:
        yield HTTPStatus.TOO_MANY_REQUESTS
    if "path" in places:
        yield HTTPStatus.NOT_FOUND
    if places & {"query", "header"} or "requestBody" in operation:
        yield HTTPStatus.BAD_REQUEST
    if "header" in places:
        yield HTTPStatus.UNPROCESSABLE_ENTITY  # the key of another request
    if "requestBody" in operation:
        yield HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        yield HTTPStatus.UNSUPPORTED_MEDIA_TYPE


def _of_the_view(view: Any, method: str) -> Iterator[HTTPStatus]:
    by_method: dict[str, tuple[int, ...]] = getattr(view, "refusals", {})
    yield from map(HTTPStatus, by_method.get(method, ()))


def describe(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the one response that all refusals are; a hook of drf-spectacular."""
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    responses = result["components"].setdefault("responses", {})
    responses[NAME] = {"description": "Refused; the body says why.", "content": content}
    return result

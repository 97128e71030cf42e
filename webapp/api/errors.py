"""The one error shape, ``{code, message, fields}``, and the one place that makes it."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from itertools import islice
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from webapp.errors import DomainError, Fields


class PayloadTooLarge(exceptions.APIException):
    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_code = "payload_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(too_large_message(limit))


def too_large_message(limit: int) -> str:
    return f"The body of a request may have at most {limit} bytes."


def error_body(code: str, message: str, fields: Fields | None = None) -> dict[str, Any]:
    return {"code": code, "message": message, "fields": fields or {}}


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer every error of an API view; what it does not know becomes Django's 500."""
    if isinstance(error, DomainError):
        set_rollback()
        return Response(error_body(error.code, error.message, error.fields), status=error.status)
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        return None
    set_rollback()
    return Response(_body(error), status=error.status_code, headers=_headers(error))


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers = {}
    challenge = getattr(error, "auth_header", None)
    if challenge:
        headers["WWW-Authenticate"] = challenge
    wait = getattr(error, "wait", None)
    if wait is not None:
        headers["Retry-After"] = str(int(wait) + 1)
    return headers


def _body(error: exceptions.APIException) -> dict[str, Any]:
    if isinstance(error, exceptions.ValidationError):
        return _validation_body(error)
    codes = error.get_codes()
    code = codes if isinstance(codes, str) else error.default_code
    return error_body(_CODES.get(code, code), str(error.detail))


_CODES = {"parse_error": "invalid_json", "permission_denied": "forbidden", "error": "server_error"}


def _validation_body(error: exceptions.ValidationError) -> dict[str, Any]:
    fields: Fields = {}
    spec_is_wrong = False
    for path, detail in islice(_leaves(error.detail, ()), _MAX_DETAILS):
        in_spec = detail.code == INVALID_SPEC
        spec_is_wrong |= in_spec
        fields.setdefault(_path(path, in_spec=in_spec), []).append(str(detail))
    count = "1 problem" if len(fields) == 1 else f"{len(fields)} problems"
    if spec_is_wrong:
        return error_body(INVALID_SPEC, f"The spec cannot be run: {count}.", fields)
    return error_body("invalid", f"The request has {count}.", fields)


#: An answer says what is wrong with this much of a request; nobody mends a thousand things at once.
_MAX_DETAILS = 100
#: Code of the problems that a spec reports; their paths start inside the spec.
INVALID_SPEC = "invalid_spec"


def _path(path: tuple[str, ...], *, in_spec: bool) -> str:
    inside = path[1:] if in_spec and path[0] in ("spec", "yaml") else path
    return ".".join(part for part in inside if part) or path[0]


def _leaves(
    detail: Any, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], exceptions.ErrorDetail]]:
    if isinstance(detail, dict):
        for key, value in detail.items():
            yield from _leaves(value, (*path, str(key)))
    elif isinstance(detail, list):
        for index, value in enumerate(detail):
            nested = isinstance(value, dict | list)
            yield from _leaves(value, (*path, str(index)) if nested else path)
    else:
        yield path or ("non_field_errors",), detail


@csrf_exempt  # there is nothing to be forged
def not_found(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    """Answer for an address below ``/api/`` that does not exist."""
    return JsonResponse(
        error_body("not_found", "There is nothing at this address."), status=HTTPStatus.NOT_FOUND
    )


def server_error(request: HttpRequest) -> JsonResponse:
    """Answer for an error that nobody foresaw; the log has the rest, the user gets no trace."""
    return JsonResponse(
        error_body("server_error", "Something went wrong on the server. It has been logged."),
        status=HTTPStatus.INTERNAL_SERVER_ERROR,
    )


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    return JsonResponse(
        error_body("bad_request", "The request cannot be understood."),
        status=HTTPStatus.BAD_REQUEST,
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> JsonResponse:
    return JsonResponse(
        error_body("csrf_failed", "The form is out of date. Reload the page and try again."),
        status=HTTPStatus.FORBIDDEN,
    )

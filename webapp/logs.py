"""Structured logs: one JSON object per line, with the request or run they belong to."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import structlog
from django.http import HttpRequest, HttpResponseBase
from structlog.typing import EventDict, Processor

_SECRETS = re.compile(
    r"""\brh_[0-9A-Za-z]{12,}                                  # our tokens
    |(?<=://)[^\s/:@]*:[^\s/@]+(?=@)                          # user and password of a URL
    |(?i:(?<=bearer\s)[^\s"',]{8,})                           # any program's token
    |(?i:(?<=password=)|(?<=secret=)|(?<=api_key=)|(?<=token=))[^\s&"',]+
    """,
    re.VERBOSE,
)
_HIDDEN = "[hidden]"


def hide_secrets(_: object, __: str, event: EventDict) -> EventDict:
    """Replace what looks like a secret in a line, whoever wrote it and however deep it lies.

    Nothing of ours logs one; libraries put addresses and headers into the text of their errors.
    """
    return {name: _hidden(value) for name, value in event.items()}


def _hidden(value: Any) -> Any:
    if isinstance(value, str):
        return _SECRETS.sub(_HIDDEN, value)
    if isinstance(value, dict):
        return {name: _hidden(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(inner) for inner in value]
    return value


_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def logging_config(level: str, *, console: bool) -> dict[str, Any]:
    """Return the ``LOGGING`` setting; structlog and the standard library end in the same lines."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    # Local variables stay out of both: they hold examples, parameters and tokens.
    if console:
        plain = structlog.dev.plain_traceback
        last += [
            structlog.processors.format_exc_info,
            hide_secrets,
            structlog.dev.ConsoleRenderer(exception_formatter=plain),
        ]
    else:
        tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        last += [
            structlog.processors.ExceptionRenderer(tracebacks),
            hide_secrets,
            structlog.processors.JSONRenderer(),
        ]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": "structlog.stdlib.ProcessorFormatter",
                "processors": last,
                "foreign_pre_chain": _SHARED,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Each request is logged once, below; Django's own line would be the second.
            "django.request": {"level": "ERROR"},
            "django.server": {"level": "ERROR"},
        },
    }


class RequestLogMiddleware:
    """Gives each request an id that all of its log lines and its answer carry."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.log = structlog.get_logger("webapp.requests")

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid4().hex
        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            self.log.info(
                "request finished",
                method=request.method,
                path=request.path,
                status=response.status_code,
                duration_ms=round(1000 * (time.perf_counter() - started), 1),
            )
        response["X-Request-ID"] = request_id
        return response

"""Taking messages from the broker: what is none of ours is refused before anything looks into it.

Celery's own consumer stops for good at some messages (an empty body is enough), and such a message
would go from worker to worker. It also follows what a message says about further tasks; ours say
nothing about any.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from celery.worker.consumer import Consumer
from kombu.exceptions import ContentDisallowed, DecodeError
from vine import promise as make_promise

#: A message of ours holds one id.
MAX_MESSAGE_BYTES = 256 * 1024
_MEDIA_TYPE = "application/json"
_PARTS = 3

log = structlog.get_logger(__name__)


class StrictConsumer(Consumer):
    """Celery's consumer behind a check of each message."""

    def create_task_handler(self, promise: Any = make_promise) -> Callable[[Any], None]:
        """Return what takes a message."""
        receive = super().create_task_handler(promise)

        def on_task_received(message: Any) -> None:
            problem = find_problem(message)
            if problem is None:
                receive(message)
                return
            # What it says is not shown: whoever can send it must not choose what the log says.
            log.warning("message refused", problem=problem)
            message.reject()

        return on_task_received


def find_problem(message: Any) -> str | None:
    """Return why a message is none of ours, or None if it is one."""
    headers = message.headers
    if message.content_type != _MEDIA_TYPE:
        return "not JSON"
    if len(message.body or b"") > MAX_MESSAGE_BYTES:
        return "too large"
    if not isinstance(headers, dict) or not all(
        isinstance(headers.get(name), str) and headers[name] for name in ("task", "id")
    ):
        return "no task"
    try:
        return _problem_of_content(message.payload)
    except (ContentDisallowed, DecodeError, ValueError, TypeError, RecursionError):
        return "not decodable"


def _problem_of_content(content: Any) -> str | None:
    if not isinstance(content, list | tuple) or len(content) != _PARTS:
        return "not what a task is given"
    args, kwargs, embed = content
    if not (isinstance(args, list) and isinstance(kwargs, dict) and isinstance(embed, dict)):
        return "not what a task is given"
    return "names further tasks" if any(embed.values()) else None

"""The base of every task: what its log lines say, and which errors are tried again."""

from __future__ import annotations

import re
from typing import Any

from celery import Task
from django.db import InterfaceError, OperationalError
from structlog.contextvars import bound_contextvars

from fedcore.errors import PermanentError, RetryableError
from webapp.jobs.queue import ADVANCE_SWEEP, TRAIN_CHUNK
from workers.retry import TRANSIENT

#: What the first argument of a task names, where it is not a run.
_SUBJECTS = {ADVANCE_SWEEP: "job_id", TRAIN_CHUNK: "chunk_id"}


#: A UUID or a SHA-256, as a message writes it.
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{64}")


class MessageError(PermanentError):
    """A message of the broker is none of ours."""

    code = "task_message_invalid"


class RunTask(Task):  # type: ignore[type-arg]
    """A task whose arguments are ids.

    The database is the truth and each task is idempotent, so a task that fails is simply tried
    again later, and even a task that is lost is repeated by the reconciler.
    """

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task with its ids on every log line.

        Raises:
            MessageError: If what the message carries is no id.
        """
        if kwargs or not all(isinstance(arg, str) and _ID.fullmatch(arg) for arg in args):
            # It is not shown: whoever can send it must not choose what the log says.
            raise MessageError(f"a message to {self.name} carries ids and nothing else")
        context = {"task": self.name, "task_id": self.request.id}
        if args:
            context[_SUBJECTS.get(self.name, "run_id")] = args[0]
        with bound_contextvars(**context):
            try:
                return super().__call__(*args, **kwargs)
            except (OperationalError, InterfaceError, RetryableError) as error:
                retries = self.request.retries
                if not TRANSIENT.allows(retries):
                    raise
                pause_s = TRANSIENT.pause_s(retries)
                raise self.retry(
                    exc=error, countdown=pause_s, max_retries=TRANSIENT.max_retries
                ) from error

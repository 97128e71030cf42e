"""What this installation can run; the spec itself is right, the machine is too small."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings

from fedcore.spec import Problem, RunSpec, estimate
from webapp.errors import DomainError, Fields
from webapp.jobs.clock import database_now
from webapp.jobs.models import Queue
from webapp.jobs.operation_models import Worker

_MIB = 1024 * 1024
_ROOM = (
    "Choose a smaller model, or start a worker with more memory. An administrator can let such runs"
    " wait for one: ROUNDHOUSE_ACCEPT_WHAT_DOES_NOT_FIT."
)


class InvalidSpecError(DomainError):
    """A spec that is wrong, or that this installation cannot run."""

    code = "invalid_spec"

    @classmethod
    def of(cls, problems: Iterable[Problem]) -> InvalidSpecError:
        fields: Fields = {}
        for problem in problems:
            fields.setdefault(problem.path or "spec", []).append(sentence(problem))
        count = "1 problem" if len(fields) == 1 else f"{len(fields)} problems"
        return cls(f"The spec cannot be run: {count}.", fields=fields)


def sentence(problem: Problem) -> str:
    return f"{problem.message} {problem.fix}".rstrip()


def oversized(spec: RunSpec) -> list[Problem]:
    """Return the problem with a run that needs more memory than it may have, or than there is."""
    needed = estimate(spec).memory_bytes
    if needed is None:
        return []
    if needed > settings.MAX_MODEL_BYTES:
        message = (
            f"This model needs about {needed // _MIB} MiB of memory;"
            f" the limit here is {settings.MAX_MODEL_BYTES // _MIB} MiB."
        )
        return [Problem("model", "model_too_large", message, "Choose a smaller model.")]
    there = largest_memory(spec)
    if there is None or needed <= there or settings.ACCEPT_WHAT_DOES_NOT_FIT:
        return []
    message = (
        f"This run needs about {needed // _MIB} MiB of memory; the largest worker of its queue"
        f" has {there // _MIB} MiB."
    )
    return [Problem("model", "does_not_fit", message, _ROOM)]


def largest_memory(spec: RunSpec) -> int | None:
    """Return the memory of the largest live worker that may take the run, in bytes.

    None if no worker that serves its queue is known.
    """
    queue = queue_of(spec)
    alive = Worker.objects.alive(database_now()).values_list("queues", "hardware")
    memories = [hardware["memory_bytes"] for queues, hardware in alive if queue in queues]
    return max(memories, default=None)


def queue_of(spec: RunSpec) -> Queue:
    """Return the queue that a run of this spec waits in."""
    return Queue.GPU if spec.runtime.device == "cuda" else Queue.CPU


def refuse_oversized(spec: RunSpec) -> None:
    problems = oversized(spec)
    if problems:
        raise InvalidSpecError.of(problems)

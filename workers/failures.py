"""From an exception to the card that tells a person what failed, where, and what to do."""

from __future__ import annotations

import errno

import structlog

from fedcore.errors import FedcoreError
from webapp.jobs.services import Failure

log = structlog.get_logger(__name__)


def failure_of(error: BaseException, *, round_index: int | None) -> Failure:
    """Return the card of an error; what is unexpected also goes to the log, with its traceback.

    Args:
        error: What the engine, or the code around it, raised.
        round_index: The round that was running, for errors that do not say.
    """
    if isinstance(error, FedcoreError):
        return _named(error, round_index)
    if _is_out_of_memory(error):
        return Failure(
            code="out_of_memory",
            message="The run does not fit into the memory of this worker.",
            round_index=round_index,
            fix="Use a smaller model or batch size, or a worker with more memory.",
        )
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return Failure(
            code="disk_full",
            message="The disk for checkpoints and models is full.",
            round_index=round_index,
            fix="Free some space, then retry the run: it goes on from its last checkpoint.",
        )
    log.error("run failed unexpectedly", exc_info=error)
    return Failure(
        code="internal_error",
        message=f"{type(error).__name__}: {error}",
        round_index=round_index,
        fix="The worker's log has the details under this run's id.",
    )


def failed_clients(error: BaseException) -> dict[int | str, str]:
    """Return the reasons of the clients that an error is about, by their ids."""
    reasons = error.context.get("reasons") if isinstance(error, FedcoreError) else None
    return {
        client_id: reason or "no reason was given" for client_id, reason in (reasons or {}).items()
    }


def _named(error: FedcoreError, round_index: int | None) -> Failure:
    context = error.context
    return Failure(
        code=error.code,
        message=error.message,
        client_id=context.get("client_id"),
        round_index=context.get("round_index", round_index),
        field=error.field,
        fix=error.fix,
    )


def _is_out_of_memory(error: BaseException) -> bool:
    # Torch raises a plain RuntimeError on CPU and its own OutOfMemoryError on a GPU.
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError)
        and any(words in str(error) for words in ("out of memory", "can't allocate memory"))
    )

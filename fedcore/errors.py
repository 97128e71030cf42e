"""Errors that the engine raises; each is one message plus keyword context.

Two context keys have a meaning everywhere: ``field`` is the path in the spec that has to change
(``partition.clients``) and ``fix`` is one sentence that says how. Errors cross process borders as
pickles made by Celery, so ``__init__`` must accept the message alone.
"""

from __future__ import annotations

from typing import Any


class FedcoreError(Exception):
    """Base of all errors of the engine; ``code`` is stable and meant for programs."""

    code = "engine_error"

    def __init__(self, message: str = "", **context: Any) -> None:
        super().__init__(message)
        self.message = message
        self.context = context

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep the context when the error is pickled."""
        return (_rebuild, (type(self), self.message, self.context))

    def __str__(self) -> str:
        return self.message

    @property
    def field(self) -> str | None:
        """Path in the spec that causes the error, if one does."""
        return self.context.get("field")

    @property
    def fix(self) -> str | None:
        """One sentence that says what to do about it, if known."""
        return self.context.get("fix")


def _rebuild(cls: type[FedcoreError], message: str, context: dict[str, Any]) -> FedcoreError:
    return cls(message, **context)


class RetryableError(FedcoreError):
    """Trying again later may succeed: a full disk, a lost connection."""

    code = "retryable"


class PermanentError(FedcoreError):
    """Trying again cannot succeed without a change of the spec or the machine."""

    code = "permanent"


class DatasetError(PermanentError):
    """The data set cannot be found, read or understood."""

    code = "dataset_unreadable"


class PartitionError(PermanentError):
    """The data cannot be split as the spec asks."""

    code = "partition_impossible"


class ModelError(PermanentError):
    """The model does not fit the data or cannot be built."""

    code = "model_invalid"


class ModelTooLargeError(ModelError):
    """The model does not fit into the memory of this machine."""

    code = "model_too_large"


class DeviceError(PermanentError):
    """The device that the spec asks for is not there."""

    code = "device_unavailable"


class KernelsError(PermanentError):
    """Local steps cannot be computed in the way that the spec asks for."""

    code = "kernels_unavailable"


class CheckpointError(PermanentError):
    """A checkpoint is damaged, or belongs to another spec."""

    code = "checkpoint_invalid"


class StorageError(RetryableError):
    """Writing a file failed, for example because the disk is full."""

    code = "storage_failed"


class WorkerLostError(RetryableError):
    """A process that trains clients has ended by itself."""

    code = "worker_lost"


class WireError(PermanentError):
    """Bytes from outside are not a valid message."""

    code = "message_invalid"


class CodecError(PermanentError):
    """An update cannot be written as the spec's compression asks."""

    code = "update_not_encodable"


class AggregationError(PermanentError):
    """Updates cannot be combined in the way that the spec asks for."""

    code = "aggregation_impossible"


class PrivacyError(PermanentError):
    """What a run promises about the clients' data cannot be kept."""

    code = "privacy_impossible"


class ClientFailedError(PermanentError):
    """A client's work raised an exception."""

    code = "client_failed"


class TooFewUpdatesError(PermanentError):
    """Fewer acceptable updates arrived than the spec requires."""

    code = "too_few_updates"


class DivergedError(PermanentError):
    """The global model has become non-finite."""

    code = "diverged"

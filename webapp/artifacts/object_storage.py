"""Files in an S3-compatible store, which all hosts reach and none has to share a disk for.

A file is put by one request, or by parts that are joined by one: readers meet it whole or not at
all, and overwriting is never needed, as keys are random (``artifacts.services``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files import File
from django.utils.deconstruct import deconstructible
from storages.backends.s3 import S3Storage

from fedcore.errors import PermanentError, StorageError

_CONNECT_S, _READ_S = 5, 60
_RETRIES = 3
#: What is read is kept in memory up to this size, and above it in a temporary file.
_IN_MEMORY = 32 * 1024 * 1024


class StorageRefusedError(PermanentError):
    """The store answers, and refuses: asking again will not help."""

    code = "storage_refused"


@deconstructible(path="webapp.artifacts.object_storage.ObjectStorage")
class ObjectStorage(S3Storage):  # type: ignore[misc]  # published without types
    """A bucket, or a folder in one.

    Raises:
        StorageError: If the store cannot be reached or is overloaded; later it may work.
        StorageRefusedError: If it refuses, for want of a bucket or of a right.
        FileNotFoundError: If the file that is to be read is not there.
    """

    def get_default_settings(self) -> dict[str, Any]:
        """Return what the environment does not say: a name is written once, nothing is public."""
        config = Config(
            connect_timeout=_CONNECT_S,
            read_timeout=_READ_S,
            retries={"mode": "standard", "total_max_attempts": _RETRIES},
            signature_version="s3v4",
            # Stores other than Amazon's often know no names of buckets as names of hosts, nor its
            # new checksums; what is read here is compared with its SHA-256 in any case.
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        return {
            **super().get_default_settings(),
            "client_config": config,
            "default_acl": None,
            "file_overwrite": True,
            "max_memory_size": _IN_MEMORY,
        }

    def _open(self, name: str, mode: str = "rb") -> Any:
        with _explained(name):
            file = super()._open(name, mode)
            return file.open()  # fetched now, so that what goes wrong goes wrong here

    def _save(self, name: str, content: File[bytes]) -> str:
        with _explained(name):
            stored: str = super()._save(name, content)
            return stored

    def save_unsynced(self, name: str, content: File[bytes]) -> str:
        """Save what can be made again; a store offers no less than for anything else."""
        stored: str = self.save(name, content)
        return stored

    def sync(self, name: str) -> None:
        """Do nothing: what a store has taken, it has."""

    def delete(self, name: str) -> None:
        """Remove a file, if it is there."""
        with _explained(name):
            super().delete(name)

    def exists(self, name: str) -> bool:
        """Return whether there is a file of this name."""
        with _explained(name):
            return bool(super().exists(name))

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Return the folders and files in a folder; none of one that is not there."""
        with _explained(path):
            folders, files = super().listdir(path)
            return folders, files


@contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        reason = error.response.get("Error", {})
        message = f"The object store refuses: {reason.get('Code')}: {reason.get('Message')}"
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
            raise StorageError(message, key=name) from error
        fix = "Check ROUNDHOUSE_S3_BUCKET and what ROUNDHOUSE_S3_ACCESS_KEY_ID may do."
        raise StorageRefusedError(message, key=name, fix=fix) from error
    except BotoCoreError as error:
        raise StorageError(f"The object store is not reached: {error}", key=name) from error

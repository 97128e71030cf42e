"""Sending a stored file block by block, whichever kind of server asks for the blocks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.core.handlers.asgi import ASGIRequest
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header
from rest_framework.request import Request

from webapp.artifacts.models import Artifact

_BLOCK = 256 * 1024


class Download(StreamingHttpResponse):
    """A file as an attachment, with its size and checksum."""

    def __init__(self, request: Request, artifact: Artifact, *, filename: str) -> None:
        file = default_storage.open(artifact.key, "rb")
        # Under ASGI, Django reads a synchronous iterator to its end before it sends anything.
        asynchronous = isinstance(request._request, ASGIRequest)  # noqa: SLF001
        blocks = _blocks_async(file) if asynchronous else _blocks(file)
        super().__init__(blocks, content_type="application/octet-stream")
        self.headers["Content-Length"] = str(artifact.size_bytes)
        self.headers["ETag"] = f'"{artifact.sha256}"'
        disposition = content_disposition_header(as_attachment=True, filename=filename)
        self.headers["Content-Disposition"] = disposition or "attachment"
        self._resource_closers.append(file.close)  # type: ignore[attr-defined]  # in no stub


def _blocks(file: File[bytes]) -> Iterator[bytes]:
    while block := file.read(_BLOCK):
        yield block


async def _blocks_async(file: File[bytes]) -> AsyncIterator[bytes]:
    read = sync_to_async(file.read, thread_sensitive=False)
    while block := await read(_BLOCK):
        yield block

"""Sending a stored file block by block."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from rest_framework.request import Request

from webapp.api.pieces import in_pieces
from webapp.artifacts.models import Artifact

_BLOCK = 256 * 1024
_FROM_ON = re.compile(r"bytes=(\d{1,15})-", re.ASCII)


class Download(StreamingHttpResponse):
    """A file as an attachment, with its size and checksum."""

    def __init__(self, request: Request, artifact: Artifact, *, filename: str) -> None:
        file = default_storage.open(artifact.key, "rb")
        super().__init__(in_pieces(request, _blocks(file)), content_type="application/octet-stream")
        self.headers["Content-Length"] = str(artifact.size_bytes)
        self.headers["ETag"] = f'"{artifact.sha256}"'
        disposition = content_disposition_header(as_attachment=True, filename=filename)
        self.headers["Content-Disposition"] = disposition or "attachment"
        self._resource_closers.append(file.close)  # type: ignore[attr-defined]  # in no stub


def send_range(request: Request, *, key: str, size_bytes: int, sha256: str) -> HttpResponseBase:
    """Return a stored file, or its rest from where ``Range: bytes=N-`` says.

    Other forms of ranges are ignored, as the standard allows; one beyond the end is answered 416.
    """
    start = _start_of(request.headers.get("Range", ""))
    if start is not None and start >= size_bytes:
        refused = HttpResponse(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
        refused["Content-Range"] = f"bytes */{size_bytes}"
        return refused
    file = default_storage.open(key, "rb")
    file.seek(start or 0)
    answer = StreamingHttpResponse(
        in_pieces(request, _blocks(file)),
        status=HTTPStatus.OK if start is None else HTTPStatus.PARTIAL_CONTENT,
        content_type="application/octet-stream",
    )
    answer["Content-Length"] = str(size_bytes - (start or 0))
    answer["ETag"] = f'"{sha256}"'
    answer["Accept-Ranges"] = "bytes"
    answer["Cache-Control"] = "no-store"
    if start is not None:
        answer["Content-Range"] = f"bytes {start}-{size_bytes - 1}/{size_bytes}"
    answer._resource_closers.append(file.close)  # type: ignore[attr-defined]  # noqa: SLF001
    return answer


def _start_of(header: str) -> int | None:
    found = _FROM_ON.fullmatch(header)
    return None if found is None else int(found[1])


def _blocks(file: File[bytes]) -> Iterator[bytes]:
    while block := file.read(_BLOCK):
        yield block

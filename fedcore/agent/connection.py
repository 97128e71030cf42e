"""Requests to the server, each signed; outbound HTTPS only, through the environment's proxy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from ssl import SSLContext
from threading import Lock
from time import time
from typing import Self, TypeVar
from uuid import UUID

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel, ValidationError

from fedcore.errors import PermanentError, RetryableError
from fedcore.sites.base import shortened
from fedcore.sites.messages import ErrorCode, Refused
from fedcore.sites.signing import Request

TIMEOUT_S = 30.0
#: Longest answer that is read into memory; models are fetched apart, in pieces.
MAX_ANSWER_BYTES = 16 * 2**20
#: What `RejectedError.said` says of a download that has to begin again.
NO_RANGES = "no_ranges"
_AGAIN_LATER = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)

Reply = TypeVar("Reply", bound=BaseModel)


class UnreachableError(RetryableError):
    """The server did not answer, or not now."""

    code = "server_unreachable"

    @property
    def retry_after_s(self) -> float | None:
        """How long the server asks to be left alone."""
        return self.context.get("retry_after_s")


class RejectedError(PermanentError):
    """The server answered with an error; asking the same again will not help."""

    code = "rejected"

    @property
    def said(self) -> str:
        """The server's own code, such as one of `ErrorCode`."""
        return str(self.context.get("said", ""))


class Clock:
    """The site's clock, corrected once the server has said what time it has."""

    def __init__(self, now: Callable[[], float] = time) -> None:
        self._now = now
        self.ahead_s = 0.0

    def read(self) -> int:
        """Return seconds since 1970 by the server's clock, as far as it is known."""
        return round(self._now() - self.ahead_s)

    def correct(self, server_time: float) -> None:
        """Learn what time the server has."""
        self.ahead_s = self._now() - server_time


@dataclass(frozen=True)
class Signer:
    """Who signs the requests of a site."""

    site_id: UUID
    key: Ed25519PrivateKey


@dataclass(frozen=True)
class _Answered:
    """An answer, read to its end."""

    status: int
    headers: httpx.Headers
    content: bytes

    @classmethod
    def read(cls, response: httpx.Response) -> Self:
        """Read an answer into memory, unless it is longer than any that we expect."""
        pieces, size = [], 0
        for piece in response.iter_bytes():
            size += len(piece)
            if size > MAX_ANSWER_BYTES:
                raise RejectedError(f"an answer is longer than {MAX_ANSWER_BYTES} bytes")
            pieces.append(piece)
        return cls(response.status_code, response.headers, b"".join(pieces))

    @property
    def is_success(self) -> bool:
        """Whether the server has done what it was asked for."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def refused(self) -> Refused:
        """What an error says; one that is not of this API is told by its number alone."""
        plain = Refused(code="error", message=f"the server answered HTTP {self.status}")
        if self.is_success:
            return plain
        try:
            return Refused.model_validate_json(self.content)
        except ValidationError:
            return plain


class Connection:
    """A pool of connections to one server; may be used by several threads."""

    def __init__(
        self,
        server: str,
        signer: Signer | None,
        *,
        tls: SSLContext | None = None,
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Open a pool; nothing is asked yet.

        Args:
            server: Address of the server; what follows its host is put before every path.
            signer: The site's identity; None before it has one.
            tls: How the server is recognised.
            transport: Replaces the network, in tests.
            clock: The site's clock.
        """
        self.server = server
        self.clock = clock or Clock()
        self._signer = signer
        self._lock = Lock()
        self._http = httpx.Client(
            verify=True if tls is None else tls,
            transport=transport,
            timeout=TIMEOUT_S,
            follow_redirects=False,  # a redirect would take a signed request somewhere else
            headers={"Accept": "application/json"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the pool."""
        self._http.close()

    def sign_with(self, signer: Signer) -> None:
        """Use another identity from now on."""
        with self._lock:
            self._signer = signer

    def authorization(self, method: str, target: str, body: bytes = b"") -> dict[str, str]:
        """Return the header that proves a request; empty before the site has an identity."""
        with self._lock:
            signer = self._signer
        if signer is None:
            return {}
        request = Request(method, target, body)
        credential = request.signed_by(signer.key, signer.site_id, time=self.clock.read())
        return {"Authorization": credential.to_header()}

    def get(self, target: str, reply: type[Reply]) -> Reply:
        """Return what the server answers to a question.

        Raises:
            UnreachableError: If it does not answer.
            RejectedError: If it answers with an error, or with something else.
        """
        return _parsed(reply, self._ask("GET", target))

    def post(self, target: str, body: BaseModel, reply: type[Reply]) -> Reply:
        """Send a document and return the answer.

        Raises:
            UnreachableError, RejectedError: As ``get``.
        """
        return _parsed(reply, self._ask("POST", target, body.model_dump_json().encode()))

    def tell(self, target: str, body: BaseModel | None = None) -> None:
        """Send a document to which there is no answer but that it has arrived.

        Raises:
            UnreachableError, RejectedError: As ``get``.
        """
        self._ask("POST", target, b"{}" if body is None else body.model_dump_json().encode())

    def put(self, target: str, piece: bytes, reply: type[Reply]) -> Reply:
        """Send bytes and return the answer.

        Raises:
            UnreachableError, RejectedError: As ``get``.
        """
        return _parsed(reply, self._ask("PUT", target, piece, "application/octet-stream"))

    @contextmanager
    def fetch(self, target: str, offset: int) -> Iterator[Iterator[bytes]]:
        """Yield the bytes of a resource from an offset on, in pieces.

        Raises:
            UnreachableError: If the server does not answer, or stops in the middle.
            RejectedError: If it answers with an error, or begins at another place.
        """
        plain = {"Accept-Encoding": "identity"}
        headers = plain | {"Range": f"bytes={offset}-"} if offset else plain
        try:
            with self._open("GET", target, headers=headers) as response:
                if response.is_error:
                    answer = _Answered.read(response)
                    if self._has_learnt_the_time(answer):
                        raise UnreachableError("this site's clock is off; it is corrected now")
                    _raise_for_error(answer)
                if offset and response.status_code != HTTPStatus.PARTIAL_CONTENT:
                    raise RejectedError(
                        "the server does not go on where the download had stopped",
                        said=NO_RANGES,
                    )
                yield response.iter_bytes()
        except httpx.TransportError as error:
            raise _unreachable(self.server, error) from error

    def _ask(
        self, method: str, target: str, body: bytes = b"", kind: str = "application/json"
    ) -> _Answered:
        answer = self._send(method, target, body, kind)
        if self._has_learnt_the_time(answer):
            answer = self._send(method, target, body, kind)
        _raise_for_error(answer)
        return answer

    def _send(self, method: str, target: str, body: bytes, kind: str) -> _Answered:
        headers = {"Content-Type": kind} if body else {}
        try:
            with self._open(method, target, body, headers) as response:
                return _Answered.read(response)
        except httpx.TransportError as error:
            raise _unreachable(self.server, error) from error

    def _open(
        self, method: str, target: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> AbstractContextManager[httpx.Response]:
        sent = (headers or {}) | self.authorization(method, target, body)
        return self._http.stream(method, self.server + target, content=body or None, headers=sent)

    def _has_learnt_the_time(self, answer: _Answered) -> bool:
        """Correct the clock if that is what the server complains of."""
        if answer.refused.code != ErrorCode.CLOCK_SKEW:
            return False
        try:
            server_time = parsedate_to_datetime(answer.headers["Date"]).timestamp()
        except (KeyError, ValueError, TypeError):
            return False
        self.clock.correct(server_time)
        return True


def _parsed(reply: type[Reply], answer: _Answered) -> Reply:
    try:
        return reply.model_validate_json(answer.content)
    except ValidationError as error:
        raise RejectedError(
            "the server's answer is not one of this protocol",
            fix="Check the address of the server, and that both sides have versions that agree.",
        ) from error


def _raise_for_error(answer: _Answered) -> None:
    if answer.is_success:
        return
    if answer.status in _AGAIN_LATER:
        raise UnreachableError(
            f"the server cannot answer now (HTTP {answer.status})",
            retry_after_s=_seconds(answer.headers.get("Retry-After")),
        )
    refused = answer.refused
    raise RejectedError(shortened(refused.message), said=refused.code, status=answer.status)


def _seconds(text: str | None) -> float | None:
    try:
        return None if text is None else max(0.0, float(text))
    except ValueError:  # a date: the usual wait will do
        return None


def _unreachable(server: str, error: httpx.TransportError) -> UnreachableError:
    reason = str(error) or type(error).__name__
    return UnreachableError(f"no answer from {server}: {reason}")

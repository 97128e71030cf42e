"""``Idempotency-Key``: a POST that is sent twice does its work once and is answered alike."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.accounts.models import User
from webapp.api.models import IdempotencyRecord
from webapp.errors import DomainError

_KEY = re.compile(r"[\x21-\x7e]{1,128}")
_LIFETIME = timedelta(hours=24)

IDEMPOTENCY_KEY = OpenApiParameter(
    name="Idempotency-Key",
    location=OpenApiParameter.HEADER,
    required=False,
    description="Any unique text. Sending the same request with the same key again within"
    " 24 hours repeats the first answer and creates nothing.",
)


class IdempotencyError(DomainError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "idempotency_key_reused"


class InvalidKeyError(DomainError):
    code = "invalid_idempotency_key"


def answer_once(request: Request, user: User, act: Callable[[], Response]) -> Response:
    """Return what ``act`` answers, or what it answered to the same key before.

    The record is made first and in the same transaction as the work: of two requests at the same
    time the second waits, and then finds the answer of the first.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return act()
    if not _KEY.fullmatch(key):
        raise InvalidKeyError("An Idempotency-Key is 1 to 128 visible ASCII characters.")
    digest = _digest(request)
    try:
        with transaction.atomic():
            record = _claim(user, key, digest)
            response = act()
            record.status = response.status_code
            record.body = json.loads(JSONRenderer().render(response.data))
            record.save(update_fields=["status", "body"])
            return response
    except _AlreadyAnsweredError:
        return _repeat(user, key, digest)


class _AlreadyAnsweredError(Exception):
    """The key is taken; it leaves the transaction, which PostgreSQL has aborted."""


def _claim(user: User, key: str, digest: str) -> IdempotencyRecord:
    now = timezone.now()
    IdempotencyRecord.objects.filter(user=user, created_at__lt=now - _LIFETIME).delete()
    try:
        return IdempotencyRecord.objects.create(
            user=user, key=key, request_sha256=digest, status=0, created_at=now
        )
    except IntegrityError as error:
        raise _AlreadyAnsweredError from error


def _repeat(user: User, key: str, digest: str) -> Response:
    record = IdempotencyRecord.objects.get(user=user, key=key)
    if record.request_sha256 != digest:
        raise IdempotencyError("This Idempotency-Key was used for another request.")
    return Response(record.body, status=record.status, headers={"Idempotency-Replayed": "true"})


def _digest(request: Request) -> str:
    asked: dict[str, Any] = {"method": request.method, "path": request.path, "body": request.data}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()

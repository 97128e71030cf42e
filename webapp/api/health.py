"""Whether this process is alive, and whether it can do its work."""

from __future__ import annotations

from contextlib import closing
from http import HTTPStatus

import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from drf_spectacular.utils import extend_schema
from pydantic import BaseModel
from redis import Redis
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

log = structlog.get_logger(__name__)


class Health(BaseModel):
    status: str
    checks: dict[str, str]


class _OpenView(APIView):
    authentication_classes = ()
    throttle_classes = ()  # probes come as often as whoever runs the server likes


class LiveView(_OpenView):
    """The process answers."""

    @extend_schema(responses=Health, tags=["health"])
    def get(self, request: Request) -> Response:
        return Response({"status": "ok", "checks": {}})


class ReadyView(_OpenView):
    """The process reaches what it needs; 503 names what it does not reach."""

    @extend_schema(responses={200: Health, 503: Health}, tags=["health"])
    def get(self, request: Request) -> Response:
        checks = {"database": _database()}
        if settings.REDIS_URL:
            checks["redis"] = _redis(settings.REDIS_URL)
        ready = all(outcome == "ok" for outcome in checks.values())
        return Response(
            {"status": "ok" if ready else "unavailable", "checks": checks},
            status=HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE,
        )


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        log.warning("database not reached", error=str(error))
        return "not reached"
    return "ok"


def _redis(url: str) -> str:
    try:
        with closing(Redis.from_url(url, **settings.REDIS_TIMEOUTS)) as redis:
            redis.ping()
    except (RedisError, OSError) as error:
        log.warning("redis not reached", error=str(error))
        return "not reached"
    return "ok"

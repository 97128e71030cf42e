"""The installations that the fault tests break, one of each kind, one at a time."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg2
import pytest
import redis
from kombu import Connection, Queue

from tests import services
from tests.faults.stack import Stack, simulate

#: Redis databases of these tests alone, so that flushing them takes nothing from anybody else.
LIVE_DB, BROKER_DB = 11, 12
QUEUES = ("cpu", "gpu", "upkeep")

EMBEDDED = pytest.param("embedded")
RABBITMQ = pytest.param("rabbitmq", marks=pytest.mark.services)
REDIS = pytest.param("redis", marks=pytest.mark.services)

#: Long enough to be disturbed in the middle, short enough to be waited for.
SPEC: dict[str, Any] = {
    "seed": 3,
    "rounds": 120,
    "dataset": {"kind": "digits"},
    "partition": {"kind": "dirichlet", "clients": 20, "alpha": 0.5},
    "model": {"kind": "mlp", "hidden": [64]},
    "local": {"epochs": 4, "batch_size": 8, "lr": 0.05},
    "sampling": {"kind": "random", "fraction": 0.5},
    "runtime": {"executor": "sequential"},
}


# Every question to a server is a line; there are too many to find anything else among them.
logging.getLogger("httpx").setLevel(logging.WARNING)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the spec comes to when nothing happens to it."""
    return simulate(SPEC, tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture(scope="session", params=[EMBEDDED, RABBITMQ, REDIS])
def stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """A healthy installation on SQLite and files, or on PostgreSQL, Redis and a broker."""
    with _settings(request.param) as settings:
        stack = Stack(tmp_path_factory.mktemp(request.param), settings)
        try:
            stack.start()
            yield stack
        finally:
            stack.close()


@contextmanager
def _settings(kind: str) -> Iterator[dict[str, str]]:
    if kind == "embedded":
        yield services.EMBEDDED_ENVIRONMENT
        return
    broker = services.AMQP_URL if kind == "rabbitmq" else redis_url(BROKER_DB)
    with _own_database() as database_url:
        flush(LIVE_DB, BROKER_DB)
        if kind == "rabbitmq":
            purge(broker)
        yield {
            **services.SERVER_ENVIRONMENT,
            "ROUNDHOUSE_DATABASE_URL": database_url,
            "ROUNDHOUSE_REDIS_URL": redis_url(LIVE_DB),
            "ROUNDHOUSE_BROKER_URL": broker,
        }
        flush(LIVE_DB, BROKER_DB)


@contextmanager
def _own_database() -> Iterator[str]:
    name = f"roundhouse_faults_{uuid4().hex[:12]}"
    _execute(f'CREATE DATABASE "{name}"')
    try:
        yield urlunsplit(urlsplit(services.POSTGRES_URL)._replace(path=f"/{name}"))
    finally:
        _execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _execute(statement: str) -> None:
    connection = psycopg2.connect(services.POSTGRES_URL)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()


def redis_url(database: int) -> str:
    return urlunsplit(urlsplit(services.REDIS_URL)._replace(path=f"/{database}"))


def flush(*databases: int) -> None:
    """Empty these Redis databases and no others."""
    for database in databases:
        client = redis.Redis.from_url(redis_url(database))
        try:
            client.flushdb()
        finally:
            client.close()


def purge(broker_url: str) -> None:
    """Throw away every message that waits in RabbitMQ."""
    with Connection(broker_url) as connection, connection.channel() as channel:
        for name in QUEUES:
            queue = Queue(name, channel=channel)
            queue.queue_declare()
            queue.purge()

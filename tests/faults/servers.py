"""The servers that an installation under test uses: an own database, own Redis numbers, queues."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg2
import redis
from kombu import Connection, Queue

from tests import services

#: Redis databases of these tests alone, so that flushing them takes nothing from anybody else.
LIVE_DB, BROKER_DB = 11, 12
QUEUES = ("cpu", "gpu", "upkeep")


@contextmanager
def settings_of(kind: str) -> Iterator[dict[str, str]]:
    if kind == "embedded":
        yield services.EMBEDDED_ENVIRONMENT
        return
    broker = services.AMQP_URL if kind == "rabbitmq" else redis_url(BROKER_DB)
    with own_database() as database_url:
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
def own_database() -> Iterator[str]:
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

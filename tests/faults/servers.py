"""The servers that an installation under test uses: an own database, own Redis numbers, queues."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg2
import redis
from kombu import Connection, Queue

from tests import services

#: Redis databases of one kind of installation alone, for what is live and for messages, so that
#: flushing them takes nothing from anybody else.
REDIS_NUMBERS = {"rabbitmq": (11,), "redis": (12, 13)}
QUEUES = ("cpu", "gpu", "upkeep")


@contextmanager
def settings_of(kind: str) -> Iterator[dict[str, str]]:
    if kind == "embedded":
        yield services.EMBEDDED_ENVIRONMENT
        return
    numbers = REDIS_NUMBERS[kind]
    with ExitStack() as stack:
        database_url = stack.enter_context(own_database())
        broker = redis_url(numbers[-1])
        if kind == "rabbitmq":
            broker = stack.enter_context(own_virtual_host())
            purge(broker)
        flush(*numbers)
        yield {
            **services.SERVER_ENVIRONMENT,
            "ROUNDHOUSE_DATABASE_URL": database_url,
            "ROUNDHOUSE_REDIS_URL": redis_url(numbers[0]),
            "ROUNDHOUSE_BROKER_URL": broker,
        }
        flush(*numbers)


@contextmanager
def own_virtual_host() -> Iterator[str]:
    """Yield a RabbitMQ with queues of its own, so that nobody else takes what is sent there.

    Where this machine may not make one, the queues are those of everybody on that server.
    """
    name = f"roundhouse-faults-{uuid4().hex[:12]}"
    user = urlsplit(services.AMQP_URL).username or "guest"
    everything = ("-p", name, user, ".*", ".*", ".*")
    if not (_rabbitmq("add_vhost", name) and _rabbitmq("set_permissions", *everything)):
        yield services.AMQP_URL
        return
    try:
        yield urlunsplit(urlsplit(services.AMQP_URL)._replace(path=f"/{name}"))
    finally:
        _rabbitmq("delete_vhost", name)


def _rabbitmq(*arguments: str) -> bool:
    program = shutil.which("rabbitmqctl")
    if program is None:
        return False
    done = subprocess.run([program, "-q", *arguments], check=False, capture_output=True)
    return done.returncode == 0


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


def lose_messages(settings: Mapping[str, str], var_dir: Path) -> None:
    """Empty the broker of an installation, and Redis where it has one."""
    broker = settings.get("ROUNDHOUSE_BROKER_URL", "")
    if not broker:
        for message in (var_dir / "broker" / "messages").iterdir():
            message.unlink(missing_ok=True)
    elif broker.startswith("amqp"):
        flush(*REDIS_NUMBERS["rabbitmq"])
        purge(broker)
    else:
        flush(*REDIS_NUMBERS["redis"])

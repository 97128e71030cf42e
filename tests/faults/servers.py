"""The servers that an installation under test uses, and the clocks that it is told the time by.

They are its own where the programs are installed; else an own database, own Redis numbers and own
queues on the servers of this machine, which no test may take away.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg2
import redis
from kombu import Connection, Queue

from tests import services
from tests.faults.clock import Clock
from tests.faults.own_servers import OwnServer, own_postgresql, own_rabbitmq, own_redis

#: Redis databases of one kind of installation alone, for what is live and for messages, so that
#: flushing them takes nothing from anybody else.
REDIS_NUMBERS = {"rabbitmq": (11,), "redis": (12, 13)}
QUEUES = ("cpu", "gpu", "upkeep")


@dataclass(frozen=True)
class Servers:
    """What an installation is told about where its servers are, and what tests may do to them."""

    settings: Mapping[str, str]
    #: Of the installation's processes, and of its database's.
    host_clock: Clock
    database_clock: Clock | None = None
    own: Mapping[str, OwnServer] = field(default_factory=dict)


@contextmanager
def servers_of(kind: str) -> Iterator[Servers]:
    """Yield what a kind of installation runs on; it is all empty."""
    with ExitStack() as stack:
        clock = stack.enter_context(_clock())
        if kind == "embedded":
            yield Servers({**services.EMBEDDED_ENVIRONMENT, **clock.environment}, clock)
            return
        database_clock = stack.enter_context(_clock())
        own = {}
        if kind == "rabbitmq":
            own["postgresql"] = stack.enter_context(own_postgresql(database_clock.environment))
            own["rabbitmq"] = stack.enter_context(own_rabbitmq())
        own["redis"] = stack.enter_context(own_redis())
        found = {name: server for name, server in own.items() if server is not None}
        urls = stack.enter_context(_urls(kind, found))
        settings = {**services.SERVER_ENVIRONMENT, **urls, **clock.environment}
        yield Servers(settings, clock, database_clock, found)


@contextmanager
def _urls(kind: str, own: Mapping[str, OwnServer]) -> Iterator[dict[str, str]]:
    with ExitStack() as stack:
        if "redis" in own:
            redis_urls = [redis_url(number, own["redis"].url) for number in (0, 1)]
        else:
            redis_urls = [redis_url(number) for number in REDIS_NUMBERS[kind]]
        broker = redis_urls[-1]
        if kind == "rabbitmq":
            broker = (
                own["rabbitmq"].url
                if "rabbitmq" in own
                else stack.enter_context(own_virtual_host())
            )
            purge(broker)
        database = own["postgresql"].url if "postgresql" in own else services.POSTGRES_URL
        flush(*redis_urls)
        yield {
            "ROUNDHOUSE_DATABASE_URL": stack.enter_context(own_database(database)),
            "ROUNDHOUSE_REDIS_URL": redis_urls[0],
            "ROUNDHOUSE_BROKER_URL": broker,
        }
        flush(*redis_urls)


@contextmanager
def _clock() -> Iterator[Clock]:
    with tempfile.TemporaryDirectory(prefix="roundhouse-clock-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user
        yield Clock(Path(folder))


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
def own_database(server_url: str = services.POSTGRES_URL) -> Iterator[str]:
    """Yield the URL of a database of its own, empty, on this server."""
    name = f"roundhouse_faults_{uuid4().hex[:12]}"
    _execute(server_url, f'CREATE DATABASE "{name}"')
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        _execute(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')


def _execute(server_url: str, statement: str) -> None:
    connection = psycopg2.connect(server_url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()


def redis_url(database: int, server_url: str = services.REDIS_URL) -> str:
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{database}"))


def flush(*urls: str) -> None:
    """Empty these Redis databases and no others."""
    for url in urls:
        client = redis.Redis.from_url(url)
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
        return
    flush(settings["ROUNDHOUSE_REDIS_URL"])
    if broker.startswith("amqp"):
        purge(broker)
    else:
        flush(broker)

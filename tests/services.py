"""The servers that the suites run on when ROUNDHOUSE_TEST_SERVICES=1, and how to reach them.

``python -m tests.services`` names each with its version, and exits 1 naming what does not answer.
"""

import os
import sqlite3
import sys
from collections.abc import Callable

import psycopg2
import redis
from kombu import Connection

ENABLED = os.environ.get("ROUNDHOUSE_TEST_SERVICES") == "1"

POSTGRES_URL = os.environ.get(
    "ROUNDHOUSE_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres"
)
REDIS_URL = os.environ.get("ROUNDHOUSE_TEST_REDIS_URL", "redis://127.0.0.1:6379/0")
AMQP_URL = os.environ.get("ROUNDHOUSE_TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:5672//")

CONNECT_TIMEOUT_S = 5

EMBEDDED_ENVIRONMENT = {"ROUNDHOUSE_MODE": "embedded"}
SERVER_ENVIRONMENT = {
    "ROUNDHOUSE_MODE": "server",
    "ROUNDHOUSE_DATABASE_URL": POSTGRES_URL,
    "ROUNDHOUSE_REDIS_URL": REDIS_URL,
    "ROUNDHOUSE_BROKER_URL": AMQP_URL,
    "ROUNDHOUSE_SECRET_KEY": "for-tests-only-and-long-enough-to-pass-the-deployment-checks",
    # Receivers and language models of tests listen on this machine, as in the embedded mode.
    "ROUNDHOUSE_PRIVATE_ADDRESSES": "127.0.0.0/8,::1/128",
}


def postgres_version() -> str:
    connection = psycopg2.connect(POSTGRES_URL, connect_timeout=CONNECT_TIMEOUT_S)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            (version,) = cursor.fetchone() or ("",)
            return str(version).split()[0]
    finally:
        connection.close()


def redis_version() -> str:
    client = redis.Redis.from_url(REDIS_URL, socket_connect_timeout=CONNECT_TIMEOUT_S)
    try:
        return str(client.info("server")["redis_version"])
    finally:
        client.close()


def rabbitmq_version() -> str:
    with Connection(AMQP_URL, connect_timeout=CONNECT_TIMEOUT_S) as connection:
        connection.connect()
        return str(connection.connection.server_properties["version"])


SERVICES: dict[str, Callable[[], str]] = {
    "PostgreSQL": postgres_version,
    "Redis": redis_version,
    "RabbitMQ": rabbitmq_version,
}


def probe() -> tuple[dict[str, str], dict[str, str]]:
    """Ask each service for its version; what did not answer is in the second mapping, with why."""
    versions: dict[str, str] = {}
    missing: dict[str, str] = {}
    for name, ask in SERVICES.items():
        try:
            versions[name] = ask()
        except (OSError, psycopg2.Error, redis.RedisError) as error:
            missing[name] = str(error).strip().splitlines()[0]
    return versions, missing


def describe(stack: str) -> str:
    """Name a stack of ``tests/conftest.py`` with the versions that really answer."""
    names = {
        "sqlite3": f"SQLite {sqlite3.sqlite_version}",
        "postgresql": "PostgreSQL",
        "filesystem": "file-system broker",
        "memory": "in-memory broker",
        "amqp": "RabbitMQ",
        "redis": "Redis as broker",
    }
    if "postgresql" in stack:
        versions, _ = probe()
        for key, name in names.items():
            if name in versions:
                names[key] = f"{name} {versions[name]}"
        names["amqp"] += f" + Redis {versions.get('Redis', '?')}"
    return " + ".join(names.get(part, part) for part in stack.split("+"))


def main() -> int:
    versions, missing = probe()
    for name, version in versions.items():
        print(f"services: {name} {version}")  # noqa: T201
    for name, reason in missing.items():
        print(f"services: {name} is missing: {reason}", file=sys.stderr)  # noqa: T201
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())

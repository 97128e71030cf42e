"""The checks of ``roundhouse doctor``: each says what it found, and what to do if it is wrong."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from uuid import uuid4

import redis
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from kombu.exceptions import KombuError

from fedcore.errors import FedcoreError
from webapp.celery import app
from webapp.settings.env import Environment

MIN_PYTHON = (3, 11)
LOW_DISK_BYTES = 2_000_000_000
FULL_DISK_BYTES = 200_000_000
TIMEOUT_S = 5

#: What each part of the installation needs at run time; the front end's packages are npm's affair.
PACKAGES = {
    "engine": ("torch", "numpy", "safetensors", "scikit-learn", "datasets", "pyarrow"),
    "web": ("django", "djangorestframework", "channels", "celery", "uvicorn", "whitenoise"),
}


class Health(StrEnum):
    """How good one thing is."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    health: Health
    detail: str
    fix: str = ""


def examine(environment: Environment) -> Iterator[Finding]:
    """Yield what was found, one thing after another; no check stops the next ones."""
    checks: tuple[Callable[[Environment], Finding], ...] = (
        _python,
        _packages,
        _database,
        _schema,
        _broker,
        _redis,
        _storage,
        _data,
        _disk,
        _front_end,
    )
    for check in checks:
        yield check(environment)


def _python(_: Environment) -> Finding:
    found = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info < MIN_PYTHON:
        return Finding("python", Health.FAILED, found, "Install Python 3.11 or newer.")
    return Finding("python", Health.OK, found)


def _packages(_: Environment) -> Finding:
    missing, found = [], []
    for names in PACKAGES.values():
        for name in names:
            try:
                found.append(f"{name} {version(name)}")
            except PackageNotFoundError:
                missing.append(name)
    if missing:
        fix = "Run `make setup`, or: pip install 'roundhouse[worker]'."
        return Finding("packages", Health.FAILED, f"missing: {', '.join(missing)}", fix)
    return Finding("packages", Health.OK, ", ".join(found[:2]) + f" and {len(found) - 2} more")


def _database(_: Environment) -> Finding:
    name = f"{connection.vendor} {_database_place()}"
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        fix = "Start it, or correct ROUNDHOUSE_DATABASE_URL."
        return Finding("database", Health.FAILED, f"{name}: {_first_line(error)}", fix)
    return Finding("database", Health.OK, name)


def _schema(_: Environment) -> Finding:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        return Finding("schema", Health.FAILED, _first_line(error), "See the database above.")
    if missing:
        fix = "Run: python manage.py migrate (`roundhouse up` does it when embedded)."
        return Finding("schema", Health.WARNING, f"{len(missing)} migrations to apply", fix)
    return Finding("schema", Health.OK, "up to date")


def _broker(environment: Environment) -> Finding:
    with app.connection_for_read(connect_timeout=TIMEOUT_S) as broker:
        place = broker.as_uri(include_password=False)
        if environment.broker_url is None:
            place = f"files in {environment.var / 'broker'}"
        try:
            broker.ensure_connection(max_retries=1, timeout=TIMEOUT_S)
        except (KombuError, OSError) as error:
            fix = "Start it, or correct ROUNDHOUSE_BROKER_URL."
            return Finding("broker", Health.FAILED, f"{place}: {_first_line(error)}", fix)
    return Finding("broker", Health.OK, place)


def _redis(environment: Environment) -> Finding:
    if environment.redis_url is None:
        return Finding("redis", Health.OK, "not used when embedded")
    url = environment.redis_url.get_secret_value()
    try:
        with closing(redis.Redis.from_url(url, socket_connect_timeout=TIMEOUT_S)) as client:
            client.ping()
    except (redis.RedisError, OSError) as error:
        fix = "Start it, or correct ROUNDHOUSE_REDIS_URL."
        return Finding("redis", Health.FAILED, _first_line(error), fix)
    return Finding("redis", Health.OK, "answers")


def _storage(environment: Environment) -> Finding:
    bucket = environment.s3_bucket
    place = f"bucket {bucket}" if bucket else getattr(default_storage, "location", "the storage")
    key = f"doctor/{uuid4().hex}"
    try:
        stored = default_storage.save(key, ContentFile(b"roundhouse"))
        with default_storage.open(stored) as file:
            intact = file.read() == b"roundhouse"
        default_storage.delete(stored)
    except FedcoreError as error:
        fix = error.fix or "Check ROUNDHOUSE_S3_ENDPOINT, and that the store runs."
        return Finding("storage", Health.FAILED, f"{place}: {_first_line(error)}", fix)
    except OSError as error:
        fix = "Make the folder writable, or set ROUNDHOUSE_ARTIFACT_DIR."
        return Finding("storage", Health.FAILED, f"{place}: {_first_line(error)}", fix)
    if not intact:
        return Finding("storage", Health.FAILED, f"{place}: reads back other bytes", "Check it.")
    return Finding("storage", Health.OK, f"{place} is writable")


def _data(environment: Environment) -> Finding:
    folder = environment.data_dir
    if folder is None:
        detail = "not set; data sets come from the hub, digits and synthetic need none"
        return Finding("data", Health.OK, detail)
    try:
        names = sorted(path.name for path in folder.iterdir() if path.is_dir())
    except OSError as error:
        fix = "Correct ROUNDHOUSE_DATA_DIR, or remove it."
        return Finding("data", Health.FAILED, f"{folder}: {error.strerror}", fix)
    return Finding("data", Health.OK, f"{folder}: {', '.join(names) or 'empty'}")


def _disk(environment: Environment) -> Finding:
    environment.var.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(environment.var).free
    detail = f"{free / 1e9:.1f} GB free in {environment.var}"
    if free < FULL_DISK_BYTES:
        return Finding("disk", Health.FAILED, detail, "Free some space: checkpoints need it.")
    if free < LOW_DISK_BYTES:
        return Finding("disk", Health.WARNING, detail, "Free some space soon.")
    return Finding("disk", Health.OK, detail)


def _front_end(_: Environment) -> Finding:
    page = settings.FRONTEND_DIR / "index.html"
    if not page.is_file():
        fix = "Run `make setup`; the API works without it."
        return Finding("front end", Health.WARNING, f"{page} is missing", fix)
    return Finding("front end", Health.OK, str(page))


def _database_place() -> str:
    described = connection.settings_dict
    host, name = described.get("HOST"), described["NAME"]
    return f"{name} on {host}" if host else str(name)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]

"""From a URL to Django's database settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

SQLITE_BUSY_TIMEOUT_S = 30
CONNECTION_AGE_S = 300


def sqlite(path: Path) -> dict[str, Any]:
    """Return settings for a file that several processes write to."""
    return {
        "ENGINE": "webapp.database.sqlite3",
        "NAME": str(path),
        # Opening one takes longer than most of what requests ask for.
        "CONN_MAX_AGE": CONNECTION_AGE_S,
        "OPTIONS": {
            "timeout": SQLITE_BUSY_TIMEOUT_S,
            # A transaction that starts by reading cannot wait for the write lock later on, it
            # fails at once; taking the lock at BEGIN makes it wait instead.
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }


def database_from_url(url: str) -> dict[str, Any]:
    """Return Django's settings for ``sqlite:///path`` or ``postgresql://user:pw@host:port/name``."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return sqlite(Path(unquote(parts.path.removeprefix("/"))).absolute())
    if parts.scheme in ("postgres", "postgresql"):
        return {
            "ENGINE": "django.db.backends.postgresql",
            # Requests are answered by few threads that stay (see ``request_threads``).
            "CONN_MAX_AGE": CONNECTION_AGE_S,
            "CONN_HEALTH_CHECKS": True,
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parts.hostname or "",
            "PORT": str(parts.port or ""),
            "OPTIONS": dict(parse_qsl(parts.query)),
        }
    raise ImproperlyConfigured(
        f"ROUNDHOUSE_DATABASE_URL: {parts.scheme!r} is not supported; use postgresql:// or sqlite:///"
    )

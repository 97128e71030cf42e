"""A web process on databases of its own, for benchmarks of screens and of live updates."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from threading import Event
from time import monotonic

import django
import httpx
from django.core.management import call_command

from benchmarks.priority import get_ahead
from tests import services
from tests.faults.own_servers import own_postgresql, own_redis
from tests.faults.servers import flush, own_database, redis_url

#: For what is live, and for messages: on a shared Redis numbers that nobody else uses.
REDIS_DBS = (13, 14)
START_TIMEOUT_S = 120.0
#: One user asks in most benchmarks for what hundreds would.
NO_LIMITS = {
    "ROUNDHOUSE_REQUESTS_PER_MINUTE": "1000000",
    "ROUNDHOUSE_CHANGES_PER_MINUTE": "1000000",
    "ROUNDHOUSE_SOCKETS_PER_USER": "100000",
}


@dataclass(frozen=True)
class Website:
    """Where the web process answers, and the token of a user who may do everything."""

    url: str
    token: str
    pid: int

    @property
    def headers(self) -> dict[str, str]:
        """Return what a request needs to be that user's."""
        return {"Authorization": f"Bearer {self.token}"}


@contextmanager
def website(limits: Mapping[str, str] = NO_LIMITS) -> Iterator[Website]:
    """Serve an empty installation until the block ends; this process uses the same database."""
    with _databases() as databases, tempfile.TemporaryDirectory() as var:
        os.environ.update(
            {
                **services.SERVER_ENVIRONMENT,
                "DJANGO_SETTINGS_MODULE": "webapp.settings.base",
                **databases,
                "ROUNDHOUSE_VAR_DIR": var,
                "ROUNDHOUSE_LOG_LEVEL": "WARNING",
                **limits,
                "ROUNDHOUSE_ADMIN_PASSWORD": secrets.token_urlsafe(16),
            }
        )
        django.setup()
        call_command("migrate", verbosity=0)
        token = _token()
        port = _free_port()
        command = [sys.executable, "-m", "workers.child", "web", "--host", "127.0.0.1"]
        with subprocess.Popen([*command, "--port", str(port)]) as process:
            try:
                url = f"http://127.0.0.1:{port}"
                _wait(url)
                yield Website(url, token, process.pid)
            finally:
                process.terminate()


@contextmanager
def _databases() -> Iterator[dict[str, str]]:
    """Yield the settings of PostgreSQL and Redis: our own where the programs are, else shared ones.

    Messages go through Redis too. A broker that other work holds up would be measured with the
    website.
    """
    with ExitStack() as stack:
        postgresql = stack.enter_context(own_postgresql({}))
        redis = stack.enter_context(own_redis())
        for server in filter(None, (postgresql, redis)):
            get_ahead(server.pid)
        live, broker = (
            redis_url(number, services.REDIS_URL if redis is None else redis.url)
            for number in REDIS_DBS
        )
        flush(live, broker)
        server_url = services.POSTGRES_URL if postgresql is None else postgresql.url
        yield {
            "ROUNDHOUSE_DATABASE_URL": stack.enter_context(own_database(server_url)),
            "ROUNDHOUSE_REDIS_URL": live,
            "ROUNDHOUSE_BROKER_URL": broker,
        }
        flush(live, broker)


def _token() -> str:
    # Django's models exist after setup only.
    from webapp.accounts.models import User  # noqa: PLC0415
    from webapp.accounts.services import create_token, ensure_administrator  # noqa: PLC0415

    ensure_administrator()
    lifetime = timedelta(hours=1)
    return create_token(user=User.objects.get(), name="benchmark", lifetime=lifetime)[1]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(url: str) -> None:
    pause, deadline = Event(), monotonic() + START_TIMEOUT_S
    while monotonic() < deadline:
        try:
            if httpx.get(f"{url}/api/v1/health/ready/", timeout=5).is_success:
                return
        except httpx.HTTPError:
            pass
        pause.wait(0.2)
    raise RuntimeError("the web process does not answer")

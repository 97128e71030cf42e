"""Servers of an installation's own, from the programs of this machine, to be killed at will.

Nobody else uses them, so a test may take one away and bring it back empty. Where a program is not
installed there is none, and what needs it is skipped.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import randbelow

from kombu import Connection

from tests.waiting import wait_until

START_S = 120.0


@dataclass
class OwnServer:
    """A server process; ``start`` it, ``crash`` it, ``start`` it again on the same port."""

    name: str
    url: str
    command: Sequence[str]
    folder: Path
    is_up: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    #: What ends it at once, together with its children, and saves nothing.
    crash_signal: signal.Signals = signal.SIGKILL
    #: Where it keeps what a crash must not leave; None keeps everything.
    forgotten: Path | None = None
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def pid(self) -> int:
        """The process that leads its session."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                env={**os.environ, **self.environment},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_until(self.is_up, within_s=START_S, every_s=0.1, what=f"{self.name} at {self.url}")

    def crash(self) -> None:
        """End it without a chance to save anything; what it has to forget is gone."""
        assert self._process is not None
        os.killpg(self._process.pid, self.crash_signal)
        self._process.wait(60)
        if self.forgotten is not None:
            shutil.rmtree(self.forgotten, ignore_errors=True)

    def close(self) -> None:
        """End it for good."""
        if self._process is not None and self._process.poll() is None:
            self.crash()


@contextmanager
def own_postgresql(environment: Mapping[str, str]) -> Iterator[OwnServer | None]:
    """Yield a PostgreSQL that recovers from its log when it is started again."""
    initdb, postgres = _program("initdb"), _program("postgres")
    if initdb is None or postgres is None:
        yield None
        return
    with _folder("postgres") as folder:
        port = _port()
        data = str(folder / "data")
        options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"]
        make = [*_as("postgres"), initdb, "--pgdata", data, "--no-sync", *options]
        subprocess.run(make, check=True, capture_output=True, cwd=folder)
        serve = [postgres, "-D", data, "-p", str(port), "-k", str(folder)]
        server = OwnServer(
            name="postgresql",
            url=f"postgresql://postgres@127.0.0.1:{port}/postgres",
            command=[*_as("postgres", "QUIT"), *serve, "-c", "listen_addresses=127.0.0.1"],
            folder=folder,
            is_up=lambda: _accepts(port),
            environment=environment,
            crash_signal=signal.SIGQUIT,  # "immediate": its children end with it
        )
        yield from _running(server)


@contextmanager
def own_redis() -> Iterator[OwnServer | None]:
    """Yield a Redis that keeps nothing on disk."""
    program = _program("redis-server")
    if program is None:
        yield None
        return
    with _folder() as folder:
        port = _port()
        options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
        server = OwnServer(
            name="redis",
            url=f"redis://127.0.0.1:{port}/0",
            command=[*_as(None, "KILL"), program, *options],
            folder=folder,
            is_up=lambda: _accepts(port),
        )
        yield from _running(server)


@contextmanager
def own_rabbitmq() -> Iterator[OwnServer | None]:
    """Yield a RabbitMQ that loses its queues when it crashes."""
    program = _program("rabbitmq-server")
    if program is None:
        yield None
        return
    with _folder("rabbitmq") as folder:
        port = _port()
        url = f"amqp://guest:guest@127.0.0.1:{port}//"
        (folder / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{port}\n")
        (folder / "plugins").write_text("[].\n")
        server = OwnServer(
            name="rabbitmq",
            url=url,
            command=[*_as("rabbitmq", "TERM"), program],
            folder=folder,
            is_up=lambda: _accepts(port) and _speaks_amqp(url),
            environment={
                "HOME": str(folder),
                "RABBITMQ_NODENAME": f"faults{port}@localhost",
                "RABBITMQ_DIST_PORT": str(_port()),
                "RABBITMQ_MNESIA_BASE": str(folder / "data"),
                "RABBITMQ_LOG_BASE": str(folder / "logs"),
                "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
                "RABBITMQ_CONF_ENV_FILE": os.devnull,
                "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            },
            forgotten=folder / "data",
        )
        yield from _running(server)


def _running(server: OwnServer) -> Iterator[OwnServer]:
    try:
        server.start()
        yield server
    finally:
        server.close()


@contextmanager
def _folder(user: str | None = None) -> Iterator[Path]:
    """Yield a folder that the server's user may write to; pytest's own are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="roundhouse-faults-"))
    if user is not None and os.geteuid() == 0:
        shutil.chown(folder, user)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _as(user: str | None, at_our_end: str = "") -> list[str]:
    """Return what starts a program as a user, and ends it by a signal when the tests are killed."""
    program = shutil.which("setpriv")
    if program is None:
        return []
    change = ["--reuid", user, "--regid", user, "--clear-groups"] if user else []
    follow = ["--pdeathsig", at_our_end] if at_our_end else []
    return [program, *(change if os.geteuid() == 0 else []), *follow]


def _program(name: str) -> str | None:
    """Return where a server is installed; Debian keeps these out of the search path."""
    folders = [os.environ.get("PATH", ""), "/usr/lib/rabbitmq/bin", "/usr/sbin"]
    newest = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if name == "rabbitmq-server":  # Debian's wrapper in /usr/sbin changes user and folder by itself
        folders = ["/usr/lib/rabbitmq/bin", *folders]
    return shutil.which(name, path=os.pathsep.join([*folders, *map(str, newest)]))


def _port() -> int:
    """Return a free port that no outgoing connection is ever given, so that it stays free."""
    while True:
        port = 20_000 + randbelow(10_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _speaks_amqp(url: str) -> bool:
    try:
        with Connection(url, connect_timeout=2) as connection:
            connection.connect()
    except OSError:
        return False
    return True

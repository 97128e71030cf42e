"""The installations that the fault tests break, one of each kind.

Several pytest processes may share the tests out by installation (see ``sharing``): each has a
folder, a database, Redis numbers and a broker of its own, so they meet in nothing but the load.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import fault_table
from tests.faults.servers import servers_of
from tests.faults.sharing import ByInstallation, Room, made_once
from tests.faults.stack import Stack, simulate

RABBITMQ = pytest.param("rabbitmq", marks=pytest.mark.services)
REDIS = pytest.param("redis", marks=pytest.mark.services)
#: Left out where time is short and the same is tried on PostgreSQL.
EMBEDDED_TOO = pytest.param("embedded", marks=pytest.mark.thorough)
#: For what does not depend on the broker: SQLite and polling, or PostgreSQL and Redis' channels.
ON_EACH_DATABASE = pytest.mark.parametrize("stack", [EMBEDDED_TOO, RABBITMQ], indirect=True)
ON_EACH_SERVER_BROKER = pytest.mark.parametrize("stack", [RABBITMQ, REDIS], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize("stack", [RABBITMQ], indirect=True)
#: The installation that has least to do otherwise.
ON_REDIS = pytest.mark.parametrize("stack", [REDIS], indirect=True)
ON_EMBEDDED_AND_REDIS = pytest.mark.parametrize("stack", ["embedded", REDIS], indirect=True)
ON_ONE = pytest.mark.parametrize("stack", ["embedded"], indirect=True)

#: Long enough to be disturbed in the middle by who slows its worker, short enough to be waited for.
SPEC: dict[str, Any] = {
    "seed": 3,
    "rounds": 200,
    "dataset": {"kind": "digits"},
    "partition": {"kind": "dirichlet", "clients": 20, "alpha": 0.5},
    "model": {"kind": "mlp", "hidden": [64]},
    "local": {"epochs": 10, "batch_size": 16, "lr": 0.1},
    "sampling": {"kind": "random", "fraction": 0.5},
    "runtime": {"executor": "sequential"},
}


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByInstallation | None:
    return ByInstallation(config, log) if config.getvalue("dist") == "loadscope" else None


# Every question to a server is a line; there are too many to find anything else among them.
logging.getLogger("httpx").setLevel(logging.WARNING)


@pytest.fixture(scope="session")
def common_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all pytest processes of one call see."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def room(common_folder: Path) -> Room:
    return Room(common_folder)


@pytest.fixture(scope="session")
def undisturbed(common_folder: Path) -> list[dict[str, Any]]:
    """What the spec comes to when nothing happens to it."""
    lines: list[dict[str, Any]] = made_once(
        common_folder / "undisturbed.json", lambda: simulate(SPEC, common_folder)
    )
    return lines


@pytest.fixture(scope="session", params=["embedded", RABBITMQ, REDIS])
def stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, room: Room
) -> Iterator[Stack]:
    """A healthy installation on SQLite and files, or on PostgreSQL, Redis and a broker."""
    room.claim(request.param)
    with servers_of(request.param) as servers:
        stack = Stack(tmp_path_factory.mktemp(request.param), servers.settings, servers)
        try:
            with room.beside_others():
                stack.start()
            yield stack
        finally:
            stack.close()


@pytest.fixture(autouse=True)
def _turn(request: pytest.FixtureRequest, room: Room) -> Iterator[None]:
    """Keep the machine quiet for a test that is marked ``alone``."""
    is_alone = request.node.get_closest_marker("alone") is not None
    with room.alone() if is_alone else room.beside_others():
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Note what a test that is marked ``fault`` has injected; the table at the end shows it."""
    fault = item.get_closest_marker("fault")
    stack = getattr(item, "funcargs", {}).get("stack")
    before = stack.injected if isinstance(stack, Stack) else 0
    try:
        yield
    finally:
        if fault is not None and isinstance(stack, Stack):
            kind = stack.var_dir.name.rstrip("0123456789")
            fault_table.note(item, fault.args[0], kind, stack.injected - before)

"""The installations that the fault tests break, one of each kind, one at a time."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.servers import settings_of
from tests.faults.stack import Stack, simulate

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
    "local": {"epochs": 1, "batch_size": 16, "lr": 0.1},
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
    with settings_of(request.param) as settings:
        stack = Stack(tmp_path_factory.mktemp(request.param), settings)
        try:
            stack.start()
            yield stack
        finally:
            stack.close()

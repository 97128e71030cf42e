"""What every suite shares: which tests need services, and a count of which ran on what.

A test is counted under the database and broker that it really used: the ones of the Django
settings when it touches the database, the ones of the stack that it starts when it is marked
``faults`` or ``e2e``, and none otherwise. ``tests/matrix.py`` adds the counts of several runs up.
"""

import json
import os
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from tests.services import ENABLED

pytest_plugins = ("tests.fault_table", "tests.hostile_table")

NO_DATABASE = "no database"
EMBEDDED = "sqlite3+filesystem"
SERVER = "postgresql+amqp"
SERVER_ON_REDIS = "postgresql+redis"

_OUTCOMES = ("passed", "failed", "skipped")
_tally: defaultdict[str, Counter[str]] = defaultdict(Counter)


def _configured_stack() -> str:
    """Return the database and broker that this process's Django settings name."""
    from django.conf import settings  # noqa: PLC0415  only suites that use Django load it

    database = settings.DATABASES["default"]["ENGINE"].rpartition(".")[2]
    broker = settings.CELERY_BROKER_URL.partition(":")[0]
    return f"{database}+{broker}"


def _stack_of(item: pytest.Item) -> str:
    if item.get_closest_marker("services"):
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        return SERVER_ON_REDIS if "redis" in parameters.values() else SERVER
    if item.get_closest_marker("faults") or item.get_closest_marker("e2e"):
        return EMBEDDED
    fixtures = set(getattr(item, "fixturenames", ()))
    if item.get_closest_marker("django_db") or fixtures & {"db", "transactional_db"}:
        return _configured_stack()
    return NO_DATABASE


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("services") and not ENABLED:
            item.add_marker(pytest.mark.skip(reason="needs ROUNDHOUSE_TEST_SERVICES=1"))
        item.user_properties.append(("stack", _stack_of(item)))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    # Set-up and tear-down count only when they go wrong, so that each test counts once.
    if report.when == "call" or report.outcome != "passed":
        stack = dict(report.user_properties).get("stack", NO_DATABASE)
        _tally[str(stack)][report.outcome] += 1


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        _tally[NO_DATABASE]["failed"] += 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _tally:
        return
    terminalreporter.section("tests by database and broker")
    for stack, counts in sorted(_tally.items()):
        figures = ", ".join(f"{counts[outcome]} {outcome}" for outcome in _OUTCOMES)
        terminalreporter.write_line(f"{stack:<24} {figures}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    target = os.environ.get("ROUNDHOUSE_TEST_TALLY")
    if target and not hasattr(session.config, "workerinput"):  # xdist: the controller writes
        Path(target).write_text(json.dumps(_tally), encoding="utf-8")

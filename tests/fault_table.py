"""The table that ends a run of the fault tests: each fault, how often it was injected, survived."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

PROPERTY = "fault"


@dataclass
class Row:
    """What the tests of one fault on one installation came to."""

    injected: int = 0
    tests: int = 0
    passed: int = 0


_rows: dict[tuple[str, str], Row] = {}


def note(item: pytest.Item, fault: str, installation: str, injected: int) -> None:
    """Remember, with a test's report, what it has done to which installation."""
    item.user_properties.append((PROPERTY, [fault, installation, injected]))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    found = dict(report.user_properties).get(PROPERTY)
    if report.when != "call" or not isinstance(found, list):
        return
    fault, installation, injected = found
    row = _rows.setdefault((str(fault), str(installation)), Row())
    row.injected += int(injected)
    row.tests += 1
    row.passed += report.passed


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _rows:
        return
    terminalreporter.section("faults")
    width = max(len(fault) for fault, _ in _rows)
    terminalreporter.write_line(f"{'fault':<{width}}  {'installation':<12}  injected  survived")
    for (fault, installation), row in sorted(_rows.items()):
        survived = "yes" if row.passed == row.tests else "NO"
        terminalreporter.write_line(
            f"{fault:<{width}}  {installation:<12}  {row.injected:>8}  {survived}"
        )

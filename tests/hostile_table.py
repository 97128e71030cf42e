"""The table that ends a run of the hostile-input suite: what was tried, where, and the answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest

PROPERTY = "hostile"


@dataclass
class Row:
    """What the attempts of one kind came to."""

    tried: int = 0
    refused: int = 0
    answers: Counter[str] = field(default_factory=Counter)


_rows: dict[tuple[str, str], Row] = {}


def note(item: pytest.Item, surface: str, attack: str, answer: str) -> None:
    """Remember, with a test's report, what was tried and how it was answered."""
    item.user_properties.append((PROPERTY, [surface, attack, answer]))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when != "call":
        return
    for name, found in report.user_properties:
        if name == PROPERTY and isinstance(found, list):
            surface, attack, answer = map(str, found)
            row = _rows.setdefault((surface, attack), Row())
            row.tried += 1
            row.refused += report.passed
            row.answers[answer] += 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _rows:
        return
    write = terminalreporter.write_line
    terminalreporter.section("hostile input")
    width = max(len(attack) for _, attack in _rows)
    write(f"{'where':<12}  {'what':<{width}}  tried  refused  answers")
    for (surface, attack), row in sorted(_rows.items()):
        answers = ", ".join(f"{name} {count}" for name, count in row.answers.most_common(4))
        more = len(row.answers) - 4
        rest = f", {more} others" if more > 0 else ""
        write(
            f"{surface:<12}  {attack:<{width}}  {row.tried:>5}  {row.refused:>7}  {answers}{rest}"
        )
    tried, refused = (sum(getattr(row, n) for row in _rows.values()) for n in ("tried", "refused"))
    write(f"{tried} tried, {refused} refused")

"""What the benchmarks print, and ``docs/benchmarks.md``, where each writes its own section.

The page is prose by hand around sections between two comments, ``<!-- begin NAME -->`` and
``<!-- end NAME -->``; a benchmark that is run with ``--write`` replaces what stands between its two
and leaves everything else alone.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.priority import is_ahead

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
_CPUINFO = Path("/proc/cpuinfo")


def note(text: str) -> None:
    """Say on standard error how far the work is."""
    print(text, file=sys.stderr, flush=True)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table as Markdown, columns aligned."""
    widths = [max(len(line[place]) for line in (header, *rows)) for place in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        return f"| {' | '.join(padded)} |"

    return [line(header), line(["-" * width for width in widths]), *map(line, rows)]


def machine() -> str:
    """Return when and on what something was measured, as a sentence."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {cores} cores ({_processor()}), "
        f"torch {version('torch')}; load before: {os.getloadavg()[0]:.1f}"
        f"{', of which we were ahead' if is_ahead() else ''}."
    )


@dataclass
class Section:
    """One section of the page while it is being measured.

    Attributes:
        name: As in the page's comments.
        command: What measures it.
        is_written: Whether it goes into the page.
    """

    name: str
    command: str
    is_written: bool
    lines: list[str] = field(default_factory=list)

    def say(self, *lines: str) -> None:
        """Print lines, and keep them for the page."""
        print(*lines, sep="\n", flush=True)
        self.lines += lines

    def end(self) -> None:
        """Write the section if that was asked for.

        Raises:
            ValueError: If the page has no such section.
        """
        if self.is_written:
            PAGE.write_text(replaced(PAGE.read_text(), self.name, self._content()))

    def _content(self) -> list[str]:
        return [f"`{self.command}`", "", *self.lines]


def replaced(page: str, name: str, lines: Sequence[str]) -> str:
    """Return a page with another text in one of its sections.

    Raises:
        ValueError: If it has no such section.
    """
    begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the page has no section between {begin.strip()} and {end}")
    return "".join([before, begin, "\n", *(f"{line}\n" for line in lines), "\n", end, after])


def add_write_option(parser: argparse.ArgumentParser) -> None:
    """Let the user have the result in the page."""
    parser.add_argument("--write", action="store_true", help="also write docs/benchmarks.md")


def _processor() -> str:
    if _CPUINFO.exists():
        for line in _CPUINFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()

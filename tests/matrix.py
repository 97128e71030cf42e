"""Runs every suite on every stack that is switched on, and says how many tests ran on which.

``make test`` calls it. Each suite is a pytest of its own, because the stack is chosen by the
environment when Django starts.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests import services

OUTCOMES = ("passed", "failed", "skipped")
# Only for tests that share nothing; a file stays in one process, for the sake of its fixtures.
IN_PARALLEL = ("--numprocesses=2", "--dist=loadfile")
# The installations that are broken share nothing and spend half of their time waiting.
BY_INSTALLATION = ("--numprocesses=3", "--dist=loadscope")
# What crashes servers of its own and sets clocks takes minutes: `make faults` does it.
SHORT_FAULTS = tuple(
    f"--ignore=tests/faults/{name}.py"
    for name in ("test_clock", "test_restarted_servers", "test_many_messages", "test_sites")
)


@dataclass(frozen=True)
class Suite:
    """One pytest run: what it covers, and the stack that its environment selects."""

    name: str
    paths: tuple[str, ...]
    environment: dict[str, str]
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """What one suite came to, counted by the stack that the tests used."""

    suite: Suite
    counts: dict[str, Counter[str]]
    seconds: float

    @property
    def total(self) -> Counter[str]:
        """Outcomes over all stacks."""
        return sum(self.counts.values(), Counter())


def suites() -> list[Suite]:
    embedded = services.EMBEDDED_ENVIRONMENT
    short = (*SHORT_FAULTS, "-m", "not thorough") if services.ENABLED else SHORT_FAULTS
    chosen = [
        Suite(
            "engine and web",
            (
                *("tests/fedcore", "tests/cli", "tests/intents", "tests/architecture"),
                *("tests/sites", "tests/webapp", "tests/workers", "tests/hostile", "tests/fuzz"),
            ),
            embedded,
            IN_PARALLEL,
        ),
        Suite("faults", ("tests/faults",), embedded, (*BY_INSTALLATION, *short)),
        Suite("browser", ("tests/e2e",), embedded, IN_PARALLEL),
    ]
    if services.ENABLED:
        server = services.SERVER_ENVIRONMENT
        chosen += [
            Suite(
                "web on services",
                ("tests/webapp", "tests/workers"),
                server,
                # Who may do what does not depend on the database.
                (*IN_PARALLEL, "--ignore=tests/webapp/test_permission_matrix.py"),
            ),
        ]
    return chosen


def run(suite: Suite, scratch: Path) -> Result:
    """Run one suite and read its tally; a run that broke off counts as a failure."""
    tally = scratch / f"{suite.name.replace(' ', '-')}.json"
    print(f"\n=== {suite.name} ===", flush=True)  # noqa: T201
    started = time.monotonic()
    code = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--durations=5", *suite.options, *suite.paths],
        env={**os.environ, **suite.environment, "ROUNDHOUSE_TEST_TALLY": str(tally)},
        check=False,
        stdin=subprocess.DEVNULL,
    ).returncode
    seconds = time.monotonic() - started
    raw = json.loads(tally.read_text(encoding="utf-8")) if tally.exists() else {}
    counts = {stack: Counter(outcomes) for stack, outcomes in raw.items()}
    result = Result(suite, counts, seconds)
    if code != 0 and not result.total["failed"]:
        counts["no database"] = counts.get("no database", Counter()) + Counter(failed=1)
        print(f"{suite.name}: pytest ended with status {code}", flush=True)  # noqa: T201
    return result


def _figures(counts: Counter[str]) -> str:
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES)


def report(results: list[Result]) -> None:
    """Print the suites, then the stacks, then one line with the totals."""
    lines = ["", "=== suites ==="]
    lines += [f"{r.suite.name:<26} {_figures(r.total)} in {r.seconds:.0f} s" for r in results]
    lines += ["", "=== tests by database and broker ==="]
    stacks = sorted({stack for result in results for stack in result.counts})
    for stack in stacks:
        counts = sum((r.counts.get(stack, Counter()) for r in results), Counter[str]())
        lines.append(f"{services.describe(stack):<58} {_figures(counts)}")
    if not services.ENABLED:
        lines.append(
            "PostgreSQL, RabbitMQ and Redis: not run (ROUNDHOUSE_TEST_SERVICES=1 runs them)"
        )
    total = sum((result.total for result in results), Counter[str]())
    lines += ["", _figures(total)]
    print("\n".join(lines), flush=True)  # noqa: T201


def main() -> int:
    if services.ENABLED and services.main() != 0:
        return 1
    with tempfile.TemporaryDirectory(prefix="roundhouse-tests-") as scratch:
        results = [run(suite, Path(scratch)) for suite in suites()]
    report(results)
    return 1 if any(result.total["failed"] for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())

"""What ``roundhouse simulate`` prints: JSON lines for programs, a table for people."""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING, Any, Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from fedcore.errors import FedcoreError
from fedcore.spec import RunSpec, SpecError

if TYPE_CHECKING:
    from fedcore.engine import Engine, RoundReport


class Output(Protocol):
    """Where a simulation reports; one implementation per ``--json`` choice."""

    def started(self, spec: RunSpec, *, round_index: int) -> None:
        """Say what is about to run."""

    def round_ended(self, report: RoundReport) -> None:
        """Show one finished round."""

    def finished(self, engine: Engine, *, status: str, digest: str) -> None:
        """Show the end: ``status`` is succeeded, stopped or interrupted."""

    def invalid(self, error: SpecError) -> None:
        """Show every problem of a spec."""

    def failed(self, error: Exception) -> None:
        """Show why the run failed."""


class JsonOutput:
    """One JSON object per line on standard output; messages for people on standard error."""

    def started(self, spec: RunSpec, *, round_index: int) -> None:
        """Print nothing: every line is a result."""

    def round_ended(self, report: RoundReport) -> None:
        """Print the line of one round."""
        self._line(
            {
                "round": report.round_index,
                "metrics": dict(report.metrics),
                "bytes_up": report.bytes_up,
                "bytes_down": report.bytes_down,
                "seconds": report.seconds,
                "sim_seconds": report.sim_seconds,
                "participants": report.participants,
            }
        )

    def finished(self, engine: Engine, *, status: str, digest: str) -> None:
        """Print the final line."""
        totals = engine.totals
        self._line(
            {
                "status": status,
                "digest": digest,
                "metrics": dict(engine.metrics),
                "totals": {
                    "rounds": totals.rounds,
                    "bytes_up": totals.bytes_up,
                    "bytes_down": totals.bytes_down,
                    "seconds": totals.seconds,
                    "sim_seconds": totals.sim_seconds,
                },
                "executor": engine.executor,
            }
        )

    def invalid(self, error: SpecError) -> None:
        """Print a final line with every problem, and the same for people."""
        problems = [
            {"path": p.path, "code": p.code, "message": p.message, "fix": p.fix}
            for p in error.problems
        ]
        self._line({"status": "invalid", "problems": problems})
        _explain_problems(error)

    def failed(self, error: Exception) -> None:
        """Print a final line with the failure, and the same for people."""
        code, message, field, fix = describe(error)
        failure = {"code": code, "message": message, "field": field, "fix": fix}
        self._line({"status": "failed", "failure": failure})
        _explain(message, field, fix)

    def _line(self, content: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(_finite(content), allow_nan=False) + "\n")
        sys.stdout.flush()


class TableOutput:
    """A row per round and a progress bar, on a terminal."""

    def __init__(self) -> None:
        self.console = Console(soft_wrap=True, highlight=False)
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self.task = self.progress.add_task("rounds")
        self.columns: tuple[str, ...] = ()

    def started(self, spec: RunSpec, *, round_index: int) -> None:
        """Name the run and start the bar."""
        what = f"{spec.algorithm.kind} on {spec.dataset.kind}, {spec.model.kind}"
        self.console.print(
            f"[bold]{what}[/bold]  {spec.rounds} rounds, digest {spec.digest()[:12]}"
        )
        if round_index:
            self.console.print(f"going on from round {round_index}")
        self.progress.update(self.task, total=spec.rounds, completed=round_index)
        self.progress.start()

    def round_ended(self, report: RoundReport) -> None:
        """Print one row; the first one prints the header too."""
        if not self.columns:
            self.columns = tuple(report.metrics)
            names = "".join(f"{name:>12}" for name in self.columns)
            self.console.print(
                f"[dim]{'round':>6}{names}{'up':>11}{'down':>11}{'seconds':>9}[/dim]"
            )
        values = "".join(f"{report.metrics.get(name, math.nan):>12.4f}" for name in self.columns)
        sizes = f"{format_size(report.bytes_up):>11}{format_size(report.bytes_down):>11}"
        self.console.print(f"{report.round_index:>6}{values}{sizes}{report.seconds:>9.3f}")
        self.progress.update(self.task, completed=report.round_index + 1)

    def finished(self, engine: Engine, *, status: str, digest: str) -> None:
        """Print the result."""
        self.progress.stop()
        metrics = ", ".join(f"{name} {value:.4f}" for name, value in engine.metrics.items())
        totals = engine.totals
        self.console.print(f"[bold]{status}[/bold] after {totals.rounds} rounds: {metrics}")
        self.console.print(
            f"{format_size(totals.bytes_up)} up, {format_size(totals.bytes_down)} down, "
            f"{totals.seconds:.1f} s, executor {engine.executor}, digest {digest}"
        )

    def invalid(self, error: SpecError) -> None:
        """List every problem on standard error."""
        _explain_problems(error)

    def failed(self, error: Exception) -> None:
        """Say on standard error what failed and what to do."""
        self.progress.stop()
        _, message, field, fix = describe(error)
        _explain(message, field, fix)


def describe(error: Exception) -> tuple[str, str, str | None, str | None]:
    """Return code, message, field and fix of an error that a person can act on."""
    if isinstance(error, FedcoreError):
        return error.code, error.message, error.field, error.fix
    if isinstance(error, MemoryError):
        fix = "Use a smaller model, a smaller batch size, or a machine with more memory."
        return "out_of_memory", "the run does not fit into memory", None, fix
    if isinstance(error, OSError):
        where = f": {error.filename}" if error.filename else ""
        return "file_error", f"{error.strerror or error}{where}", None, None
    return "unexpected", f"{type(error).__name__}: {error}", None, None


def format_size(size_bytes: int) -> str:
    """Return a size in the unit that gives a short number."""
    value = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:  # noqa: PLR2004 - SI units, as network sizes are quoted
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def _explain_problems(error: SpecError) -> None:
    for problem in error.problems:
        _explain(problem.message, problem.path or None, problem.fix)


def _explain(message: str, field: str | None, fix: str | None) -> None:
    where = f"{field}: " if field else ""
    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    errors.print(f"[red]error:[/red] {escape(where + message)}")
    if fix:
        errors.print(f"  [dim]fix:[/dim] {escape(fix)}")


def _finite(value: Any) -> Any:
    """Return ``value`` with NaN and infinities as null, which JSON has no other word for."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value

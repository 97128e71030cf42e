"""Sweeps in a terminal: telling them from specs, and following one to its end."""

from __future__ import annotations

from threading import Event as Signal
from time import monotonic
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from webapp.client.api import Client
from webapp.client.errors import ClientError
from webapp.client.follow import PATIENCE_S
from webapp.client.models import Point, Sweep

POLL_S = 1.0
#: Keys of a sweep that no spec has.
_KEYS = frozenset({"base", "axes", "search", "seeds"})
_ENDED = ("succeeded", "failed", "cancelled")


def is_sweep(document: dict[str, Any]) -> bool:
    """Return whether a document describes a sweep and not a single run."""
    return not _KEYS.isdisjoint(document)


def describe_point(point: Point, metric: str) -> str:
    """Return the settings of a point and how well it did, as one line."""
    values = ", ".join(f"{path} {value}" for path, value in point.values.items()) or "the base"
    spread = "" if point.std is None else f" ± {point.std:.4f}"
    return f"{metric} {point.mean:.4f}{spread} with {values}" if point.mean is not None else values


def watch_sweep(client: Client, job_id: UUID, console: Console, *, poll_s: float = POLL_S) -> Sweep:
    """Draw the progress of a sweep until it ends, and return it as it ended.

    Raises:
        ClientError: If the request is refused, or the server stays away for a minute.
    """
    columns = (
        TextColumn("[bold]{task.fields[state]:<9}[/bold]"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[best]}"),
        TimeElapsedColumn(),
    )
    pause, deadline = Signal(), monotonic() + PATIENCE_S
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("sweep", total=None, state="running", best="")
        while True:
            try:
                sweep = client.sweep(job_id)
            except ClientError as error:
                if not error.is_unreachable or monotonic() > deadline:
                    raise
            else:
                deadline = monotonic() + PATIENCE_S
                ended = sum(sweep.runs_by_state.get(state, 0) for state in _ENDED)
                best = describe_point(sweep.best, sweep.metric) if sweep.best else ""
                progress.update(
                    task, total=sweep.runs_total, completed=ended, state=sweep.state, best=best
                )
                if sweep.state != "running":
                    return sweep
            pause.wait(poll_s)

"""Follow a run from afar: its events in order, or a progress bar until it ends.

Events are polled rather than streamed: they are stored and numbered, so a poller that remembers
the last number misses nothing while the web process restarts, and needs no second protocol.
"""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event as Signal
from time import monotonic
from uuid import UUID

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from webapp.client.api import Client
from webapp.client.errors import ClientError
from webapp.client.models import Event, Run

POLL_S = 0.25
PATIENCE_S = 60.0


def follow_events(
    client: Client, run_id: UUID | str, *, after: int = 0, patience_s: float = PATIENCE_S
) -> Iterator[list[Event]]:
    """Yield batches of new events (possibly empty, once per poll) until the run has ended.

    Raises:
        ClientError: If the request is refused, or the server stays away for ``patience_s``.
    """
    pause = Signal()
    deadline = monotonic() + patience_s
    while True:
        try:
            # Read in this order: a run seen as final before the events are read has stored them.
            run = client.run(run_id)
            batch = list(client.all_events(run_id, after=after))
        except ClientError as error:
            if not error.is_unreachable or monotonic() > deadline:
                raise
            pause.wait(1.0)
            continue
        deadline = monotonic() + patience_s
        if batch:
            after = batch[-1].seq
        yield batch
        if run.is_final:
            return
        pause.wait(POLL_S)


def watch_run(client: Client, run: Run, console: Console) -> Run:
    """Draw the progress of a run until it ends, and return it as it ended."""
    columns = (
        TextColumn("[bold]{task.fields[state]:<9}[/bold]"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[metrics]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("run", total=run.rounds_total, state=run.state, metrics="")
        for batch in follow_events(client, run.id):
            for event in batch:
                _draw(progress, task, event)
    return client.run(run.id)


def _draw(progress: Progress, task: int, event: Event) -> None:
    data = event.data
    match event.kind:
        case "round_finished":
            metrics = describe_metrics(data["metrics"])
            progress.update(task, completed=data["round"] + 1, metrics=metrics)  # type: ignore[arg-type]
        case "state_changed":
            progress.update(task, state=data["to"])  # type: ignore[arg-type]
        case "recovered" | "client_refused" | "log":
            progress.console.print(describe_event(event))


def describe_metrics(metrics: dict[str, float | None]) -> str:
    return "  ".join(f"{k} {v:.4f}" for k, v in sorted(metrics.items()) if v is not None)


def describe_event(event: Event) -> str:
    """Return an event as one line for people."""
    data = event.data
    at = event.at.astimezone().strftime("%H:%M:%S")
    match event.kind:
        case "state_changed":
            reason = f" ({data['reason']})" if data.get("reason") else ""
            text = f"{data['from']} -> {data['to']}{reason}"
        case "round_finished":
            text = f"round {data['round']}: {describe_metrics(data['metrics'])}"
        case "recovered":
            text = f"recovered, going on from round {data['from_round']}: {data['reason']}"
        case "client_refused":
            text = f"round {data['round_index']}: client {data['client_id']}: {data['reason']}"
        case "log":
            text = f"{data['level']}: {data['message']}"
        case _:
            details = ", ".join(f"{key} {value}" for key, value in data.items())
            text = f"{event.kind.replace('_', ' ')}: {details}"
    return f"{at}  {event.seq:>5}  {text}"

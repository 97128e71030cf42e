"""The commands ``login``, ``submit``, ``runs`` and ``logs``: the REST API from a terminal."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fedcore.spec import SpecError, load_yaml
from webapp.client.api import Client
from webapp.client.credentials import (
    DEFAULT_URL,
    Credentials,
    credentials_file,
    resolve_credentials,
    save_credentials,
)
from webapp.client.errors import ClientError
from webapp.client.follow import describe_event, describe_metrics, follow_events, watch_run
from webapp.client.models import Job, Run
from webapp.client.sweeps import describe_point, is_sweep, watch_sweep

UrlOption = Annotated[
    str | None, typer.Option("--url", envvar="ROUNDHOUSE_URL", help="Address of the server.")
]
TokenOption = Annotated[
    str | None,
    typer.Option("--token", envvar="ROUNDHOUSE_TOKEN", help="Token; better in the environment."),
]

EXIT_FAILED = 1
EXIT_INVALID = 2
TOKEN_DAYS = 90


def login(
    url: UrlOption = None,
    username: Annotated[str, typer.Option(prompt=True)] = "admin",
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, envvar="ROUNDHOUSE_PASSWORD")
    ] = "",
) -> None:
    """Sign in once; a token is kept in a file that only you can read."""
    address = url or DEFAULT_URL
    with _explained(), Client(address) as client:
        made = client.create_token(
            username=username,
            password=password,
            name=f"roundhouse on {socket.gethostname()}",
            expires_in_days=TOKEN_DAYS,
        )
        file = credentials_file()
        save_credentials(Credentials(url=address, token=made.token), file)
    typer.echo(f"signed in to {address}; token saved in {file}, valid for {TOKEN_DAYS} days")


def submit(
    file: Annotated[
        Path, typer.Argument(help="Spec or sweep as YAML or JSON; - reads standard input.")
    ],
    *,
    name: Annotated[str | None, typer.Option(help="Name of the job; default: the file's.")] = None,
    project: Annotated[str | None, typer.Option(help="Id of the project.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Draw progress until the end.")] = False,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Submit a spec or a sweep; with --watch, exit 0 only if it succeeds."""
    console = Console()
    with _explained(), _connect(url, token) as client:
        spec = _read_spec(file)
        if is_sweep(spec):
            job = client.submit_sweep(name=name or _default_name(file), sweep=spec, project=project)
            _after_sweep(client, job, console, watch=watch)
            return
        job = client.submit(name=name or _default_name(file), spec=spec, project=project)
        run = job.runs[0]
        console.print(f"submitted: {client.run_url(run.id)}", soft_wrap=True, highlight=False)
        if not watch:
            return
        ended = watch_run(client, run, console)
    explain_end(ended, console)
    if ended.state != "succeeded":
        raise typer.Exit(EXIT_FAILED)


def _after_sweep(client: Client, job: Job, console: Console, *, watch: bool) -> None:
    """Say what was submitted and, if asked, follow it; exit 1 if no point has succeeded."""
    total = job.sweep.runs_total if job.sweep else 0
    console.print(f"submitted: sweep {job.id} of {total} runs", soft_wrap=True, highlight=False)
    if not watch:
        return
    sweep = watch_sweep(client, job.id, console)
    ended = ", ".join(f"{count} {state}" for state, count in sweep.runs_by_state.items())
    console.print(f"[bold]{sweep.state}[/bold]: {ended}")
    if sweep.best is None:
        raise typer.Exit(EXIT_FAILED)
    console.print(f"best: {escape(describe_point(sweep.best, sweep.metric))}", soft_wrap=True)


def runs(
    *,
    state: Annotated[str | None, typer.Option(help="Only runs in this state.")] = None,
    search: Annotated[str | None, typer.Option(help="Only runs with this in their name.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most this many.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """List runs, the newest first."""
    with _explained(), _connect(url, token) as client:
        found = client.runs(limit=limit, state=state, search=search)
    if as_json:
        for run in found:
            typer.echo(run.model_dump_json())
        return
    table = Table("id", "name", "state", "rounds", "metrics", box=None)
    for run in found:
        table.add_row(*_cells(run))
    Console().print(table)


def logs(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="Id of the run.")],
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the run has ended.")
    ] = False,
    after: Annotated[int, typer.Option(min=0, help="Only events after this number.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Print the events of a run, in order."""
    with _explained(), _connect(url, token) as client:
        if follow:
            batches = follow_events(client, run_id, after=after)
        else:
            batches = iter([list(client.all_events(run_id, after=after))])
        for batch in batches:
            for event in batch:
                typer.echo(event.model_dump_json() if as_json else describe_event(event))


def explain_end(run: Run, console: Console) -> None:
    """Say how a run ended, and what to do if it failed."""
    metrics = describe_metrics(run.latest_metrics)
    console.print(f"[bold]{run.state}[/bold] after {run.rounds_done} rounds: {escape(metrics)}")
    if run.failure is not None:
        where = f"{run.failure.field}: " if run.failure.field else ""
        console.print(f"[red]{run.failure.code}[/red] {escape(where + run.failure.message)}")
        if run.failure.fix:
            console.print(f"  [dim]fix:[/dim] {escape(run.failure.fix)}")


@contextmanager
def _connect(url: str | None, token: str | None) -> Iterator[Client]:
    chosen = resolve_credentials(url, token, credentials_file())
    with Client(chosen.url, chosen.token) as client:
        yield client


@contextmanager
def _explained() -> Iterator[None]:
    """Turn refusals into messages with their fields, and never into a stack trace."""
    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        yield
    except ClientError as error:
        errors.print(f"[red]error:[/red] {escape(error.message)}")
        for path, messages in error.fields.items():
            for message in messages:
                errors.print(f"  {escape(f'{path}: {message}' if path else message)}")
        raise typer.Exit(EXIT_INVALID if error.fields else EXIT_FAILED) from None
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        errors.print(f"[red]error:[/red] {escape(f'{error.strerror or error}{where}')}")
        raise typer.Exit(EXIT_FAILED) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _read_spec(file: Path) -> dict[str, Any]:
    text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    try:
        content = load_yaml(text)
    except SpecError as error:
        raise ClientError(error.message, code=error.code) from error
    if not isinstance(content, dict):
        raise ClientError(f"{file} holds a {type(content).__name__}; a spec is a mapping")
    return content


def _default_name(file: Path) -> str:
    return "standard input" if str(file) == "-" else file.stem


def _cells(run: Run) -> tuple[str, str, str, str, str]:
    rounds = f"{run.rounds_done}/{run.rounds_total}"
    metrics = escape(describe_metrics(run.latest_metrics))
    return str(run.id), escape(f"{run.name} #{run.number}"), run.state, rounds, metrics

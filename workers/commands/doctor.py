"""``roundhouse doctor``: is everything there that the installation needs?"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

COLOURS = {"ok": "green", "warning": "yellow", "failed": "red"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
) -> None:
    """Check Python, packages, database, broker, storage, data and disk; exit 1 if one fails."""
    # Imported late: `roundhouse --help` must not wait for Django.
    from workers.commands import starting  # noqa: PLC0415

    console = Console(soft_wrap=True, highlight=False)
    failed = False
    with starting.explained():
        environment = starting.load()
        from workers.diagnosis import Health, examine  # noqa: PLC0415

        for finding in examine(environment):
            failed = failed or finding.health is Health.FAILED
            if as_json:
                typer.echo(json.dumps(asdict(finding)))
                continue
            mark = f"[{COLOURS[finding.health]}]{finding.health:<8}[/]"
            console.print(f"{mark}{finding.name:<11}{escape(finding.detail)}")
            if finding.fix:
                console.print(f"{'':8}{'':11}[dim]{escape(finding.fix)}[/dim]")
    if failed:
        raise typer.Exit(1)

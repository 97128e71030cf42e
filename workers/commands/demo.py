"""``roundhouse demo``: from nothing to a trained model, through every real part."""

from __future__ import annotations

from typing import Annotated

import typer


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Stop after the run; exit 0 only if it was a success.")
    ] = False,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port; default: 8000, or one that is free.")
    ] = None,
) -> None:
    """Start everything, submit a run over REST, draw its progress, and show where it is.

    Without --once it goes on serving until Ctrl-C.
    """
    # Imported late: `roundhouse --help` must not wait for Django.
    from workers.demonstration import demonstrate, serve_and_demonstrate  # noqa: PLC0415

    raise typer.Exit((demonstrate if once else serve_and_demonstrate)(port))

"""``roundhouse up``: everything on this machine, together."""

from __future__ import annotations

from threading import Event
from typing import Annotated

import typer

from workers.lifeline import hold_on_to

#: Longer than the supervisor itself waits for its children to stop.
LIFELINE_GRACE_S = 30.0


def up(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port to listen on.")] = None,
    workers: Annotated[int, typer.Option(min=0, max=256, help="Runs trained at once.")] = 1,
    lifeline_fd: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Start web server, run workers and upkeep together; stop them together with Ctrl-C.

    Embedded, the database is made or brought up to date first. A process that dies is started
    again. Settings come from ROUNDHOUSE_ variables; `roundhouse doctor` checks them.
    """
    # Imported late: `roundhouse --help` must not wait for Django.
    from workers.commands import starting  # noqa: PLC0415
    from workers.stack import Stack, running  # noqa: PLC0415

    if lifeline_fd is not None:  # started by a program that we must not outlive
        hold_on_to(lifeline_fd, grace_s=LIFELINE_GRACE_S)
    with starting.explained():
        environment = starting.load()
        stack = Stack(
            host=host or environment.host,
            port=port or environment.port,
            workers=workers,
            var_dir=environment.var,
        )
        password = starting.prepare(environment)
        try:
            with running(stack, say=starting.say, log_dir=None):
                starting.show_password(environment, password)
                starting.say(f"ready at {stack.url}")
                Event().wait()
        except KeyboardInterrupt:
            starting.say("stopped")

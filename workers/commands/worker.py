"""``roundhouse worker``: one worker process, for a machine of its own or a container."""

from __future__ import annotations

from typing import Annotated

import typer


def worker(
    queue: Annotated[
        list[str] | None, typer.Option(help="Queue to serve: cpu or gpu; may be repeated.")
    ] = None,
    upkeep: Annotated[
        bool, typer.Option("--upkeep", help="Serve upkeep, and keep its clock, instead of runs.")
    ] = False,
    name: Annotated[str, typer.Option(help="Name in logs; unique on this machine.")] = "worker",
) -> None:
    """Run one worker: it trains one run at a time, or does the upkeep.

    SIGTERM lets it finish its batch, save, and hand its run to the next worker.
    """
    # Imported late: `roundhouse --help` must not wait for Django and torch.
    from workers.commands import starting  # noqa: PLC0415

    try:
        with starting.explained():
            from workers.worker_process import UPKEEP, work  # noqa: PLC0415

            queues = [UPKEEP] if upkeep else (queue or ["cpu"])
            work(name=name, queues=queues, on_ready=lambda: starting.say(f"{name} is ready"))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--queue") from None

"""What ``roundhouse intents`` can do where the engine is installed: tune a model, and ask it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fedcore.errors import FedcoreError
from webapp.intents.commands import BACKENDS, EXIT_INVALID, intents
from webapp.intents.local import LocalBackend
from webapp.intents.services import Backend

__all__ = ["intents"]


def _local(model: str) -> Backend:
    from workers.language_model import LanguageModel  # noqa: PLC0415  (torch, seconds)

    return LocalBackend(LanguageModel(model).complete)


BACKENDS[LocalBackend.name] = _local


@intents.command("finetune")
def finetune(
    data: Annotated[Path, typer.Argument(help="JSON-lines file that `intents dataset` wrote.")],
    out: Annotated[Path, typer.Argument(help="Folder for the tuned model.")],
    *,
    base: Annotated[str, typer.Option(help="Folder in the models folder, or id on the hub.")],
    clients: Annotated[int, typer.Option(min=1, help="Clients; 1 is central training.")] = 1,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of one epoch each.")] = 3,
    rank: Annotated[int, typer.Option(min=1, help="Rank of the LoRA factors.")] = 8,
    lr: Annotated[float, typer.Option(help="Learning rate of Adam.")] = 1e-3,
    length: Annotated[int, typer.Option(min=8, help="Tokens per example.")] = 512,
) -> None:
    """Tune a causal language model with LoRA to read prompts, centrally or federated."""
    from workers.tuning import Tuning, tune  # noqa: PLC0415  (torch, seconds)

    tuning = Tuning(base, clients=clients, rounds=rounds, rank=rank, lr=lr, length=length)
    try:
        for number, loss in enumerate(tune(data, out, tuning)):
            typer.echo(f"round {number}: loss {loss:.4f}")
    except FedcoreError as error:
        typer.echo(f"error: {error.message} {error.fix or ''}".strip(), err=True)
        raise typer.Exit(EXIT_INVALID) from error
    typer.echo(f"tuned model: {out}")

"""``roundhouse simulate``: one spec through the engine, without server, database or broker."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from fedcore.cli.output import JsonOutput, Output, TableOutput
from fedcore.errors import CheckpointError, FedcoreError
from fedcore.spec import RunSpec, SpecError

if TYPE_CHECKING:
    from fedcore.engine import Engine

EXIT_FAILED = 1
EXIT_INVALID = 2
SIGNAL_EXIT_BASE = 128


def simulate(
    file: Annotated[Path, typer.Argument(help="Spec as YAML or JSON; - reads standard input.")],
    json_lines: Annotated[
        bool, typer.Option("--json", help="One JSON object per round, then a final one.")
    ] = False,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="Folder to save to after each round, and to go on from."),
    ] = None,
    stop_after_round: Annotated[
        int | None,
        typer.Option(min=0, help="Stop once the round with this index is done and saved."),
    ] = None,
) -> None:
    """Run one spec with the engine alone and print each round as it ends.

    With --checkpoint, a run that was stopped goes on where it stopped, with the same numbers to
    the last digit; a run that had ended prints its result again.
    """
    output: Output = JsonOutput() if json_lines else TableOutput()
    try:
        spec = read_spec(file)
        status = _simulate(spec, checkpoint, stop_after_round, output)
    except SpecError as error:
        output.invalid(error)
        raise typer.Exit(EXIT_INVALID) from None
    except (FedcoreError, OSError, MemoryError) as error:
        output.failed(error)
        raise typer.Exit(EXIT_FAILED) from None
    raise typer.Exit(status)


def read_spec(file: Path) -> RunSpec:
    """Return the spec in a file; ``-`` is standard input.

    Raises:
        SpecError: With every problem of the document.
        OSError: If the file cannot be read.
    """
    text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    return RunSpec.from_yaml(text)


def _simulate(
    spec: RunSpec, checkpoint: Path | None, stop_after_round: int | None, output: Output
) -> int:
    # Imported here so that `roundhouse --help`, and a spec with a mistake, never wait for torch.
    from fedcore.engine import Interrupted  # noqa: PLC0415

    engine = _open_engine(spec, checkpoint)
    try:
        output.started(spec, round_index=engine.round_index)
        with _stop_on_signal() as stop:
            try:
                status = _run_rounds(engine, checkpoint, stop_after_round, output, stop)
            except Interrupted:
                status = "interrupted"
        output.finished(engine, status=status, digest=spec.digest())
    finally:
        engine.close()
    return SIGNAL_EXIT_BASE + stop.signal_number if status == "interrupted" else 0


def _open_engine(spec: RunSpec, checkpoint: Path | None) -> Engine:
    from fedcore.engine import Engine  # noqa: PLC0415

    if checkpoint is None or not checkpoint.exists() or _is_empty(checkpoint):
        return Engine.create(spec)
    try:
        return Engine.resume(spec, checkpoint)
    except CheckpointError as error:
        fix = error.fix or f"Name another folder than {checkpoint}, or remove it to start again."
        raise CheckpointError(error.message, **{**error.context, "fix": fix}) from error


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def _run_rounds(
    engine: Engine,
    checkpoint: Path | None,
    stop_after_round: int | None,
    output: Output,
    stop: StopRequest,
) -> str:
    while not engine.is_finished:
        if stop_after_round is not None and engine.round_index > stop_after_round:
            return "stopped"
        report = engine.run_round(should_stop=stop.is_requested)
        if checkpoint is not None:
            engine.save(checkpoint)  # before the line is printed: what is printed is never lost
        output.round_ended(report)
    return "succeeded"


@dataclass
class StopRequest:
    """Whether a signal has asked the run to stop, and which one."""

    signal_number: int = field(default=0)

    def is_requested(self) -> bool:
        """Return whether to stop at the next batch boundary."""
        return self.signal_number != 0


@contextmanager
def _stop_on_signal() -> Iterator[StopRequest]:
    """Turn the first Ctrl-C or SIGTERM into a stop at the next batch boundary."""
    stop = StopRequest()

    def request(number: int, _frame: FrameType | None) -> None:
        stop.signal_number = number
        signal.signal(number, signal.SIG_DFL)  # a second one ends the process at once

    previous = {
        number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)

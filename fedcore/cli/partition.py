"""``roundhouse partition``: how a spec divides the data among the clients, without training."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from fedcore.cli.output import JsonOutput, Output, TableOutput
from fedcore.cli.simulate import EXIT_FAILED, EXIT_INVALID, read_spec
from fedcore.errors import FedcoreError
from fedcore.spec import SpecError

if TYPE_CHECKING:
    from fedcore.partition import PartitionReport

#: More classes than this are not shown one by one on a terminal.
MAX_COLUMNS = 12


def partition(
    file: Annotated[Path, typer.Argument(help="Spec as YAML or JSON; - reads standard input.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show how a spec divides its data: classes by client, sizes, and how unlike clients are."""
    output: Output = JsonOutput() if as_json else TableOutput()
    try:
        spec = read_spec(file)
        # Imported here so that a spec with a mistake never waits for torch.
        from fedcore.engine import partition_report  # noqa: PLC0415

        report = partition_report(spec)
    except SpecError as error:
        output.invalid(error)
        raise typer.Exit(EXIT_INVALID) from None
    except (FedcoreError, OSError, MemoryError) as error:
        output.failed(error)
        raise typer.Exit(EXIT_FAILED) from None
    if as_json:
        sys.stdout.write(json.dumps(report.to_json(), allow_nan=False) + "\n")
    else:
        _show(report)


def _show(report: PartitionReport) -> None:
    console = Console(soft_wrap=True, highlight=False)
    shown = report.num_classes <= MAX_COLUMNS
    table = Table("client", "train", "test", "classes", *(report.class_names if shown else ()))
    for row in report.clients:
        counts = [str(count) if count else "" for count in row.class_counts] if shown else []
        held = sum(count > 0 for count in row.class_counts)
        name = str(row.client_id) if row.name is None else f"{row.client_id} {row.name}"
        table.add_row(name, str(row.num_train), str(row.num_test), str(held), *counts)
    console.print(table)
    console.print(f"total variation distance  {report.total_variation:.3f}  (0 alike, 1 disjoint)")
    console.print(f"Jensen-Shannon divergence {report.jensen_shannon:.3f}  bits")
    console.print(f"Gini of sizes             {report.size_gini:.3f}  (0 equal)")
    if report.unused_train:
        console.print(f"{report.unused_train} training examples belong to no client")

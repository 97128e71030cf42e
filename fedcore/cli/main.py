"""The ``roundhouse`` command.

``simulate``, ``partition`` and ``site`` need the engine alone and live here. The other commands
belong to packages that know the web application; they register themselves as entry points, so that
the engine imports nothing of them. Only the command that was asked for is imported; help imports
all, so none may load torch.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points

import structlog
import typer

from fedcore.cli.partition import partition
from fedcore.cli.simulate import simulate
from fedcore.cli.site import site

GROUP = "roundhouse.commands"
_OWN = ("simulate", "partition", "site")


def build_app(commands: Iterable[EntryPoint]) -> typer.Typer:
    """Return the command line with the engine's commands and these of other packages."""
    app = typer.Typer(
        name="roundhouse",
        help="Describe a federated run, train it, and watch it live.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    app.callback()(_group)
    app.command("simulate")(simulate)
    app.command("partition")(partition)
    app.add_typer(site, name="site")
    for entry in commands:
        _register(app, entry)
    return app


def find_commands(arguments: list[str]) -> tuple[EntryPoint, ...]:
    """Return the entry points that these arguments may need: the named one, or all."""
    installed = tuple(entry_points(group=GROUP))
    wanted = arguments[0] if arguments else ""
    if wanted in _OWN:
        return ()
    return tuple(entry for entry in installed if entry.name == wanted) or installed


def _group() -> None:
    """Describe a federated run, train it, and watch it live."""


def _register(app: typer.Typer, entry: EntryPoint) -> None:
    try:
        command = entry.load()
    except ImportError as error:  # an engine-only install has no web packages
        typer.echo(f"note: `roundhouse {entry.name}` is not available: {error}", err=True)
        return
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=entry.name)
    else:
        app.command(entry.name)(command)


def main() -> None:
    """Run the command line."""
    # Standard output belongs to results, which other programs read.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    build_app(find_commands(sys.argv[1:]))()


if __name__ == "__main__":
    main()

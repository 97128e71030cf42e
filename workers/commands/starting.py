"""What ``up`` and ``demo`` do before they start processes, and how they speak."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from types import FrameType

import django
import typer
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor

from webapp.settings.env import Environment, Mode, load_environment
from workers.stack import StackError

EXIT_FAILED = 1
EXIT_INVALID = 2
EXIT_INTERRUPTED = 130


def load() -> Environment:
    """Return the settings of this installation and set Django up with them."""
    environment = load_environment()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings.base")
    environment.var.mkdir(parents=True, exist_ok=True)
    django.setup()
    logging.getLogger("httpx").setLevel(logging.WARNING)  # our own health checks are no news
    return environment


def prepare(environment: Environment) -> str | None:
    """Make the database ready, and the first administrator; return a password made for it.

    Raises:
        StackError: If a server's database is behind: several machines share it, so none of them
            may change it while the others work.
    """
    if environment.mode is Mode.EMBEDDED:
        call_command("migrate", interactive=False, verbosity=0)
    elif _is_behind():
        raise StackError("the database is behind the code; run: python manage.py migrate")
    # Imported late: models exist only once Django is set up.
    from webapp.accounts.services import ensure_administrator  # noqa: PLC0415

    try:
        return ensure_administrator()
    except ValidationError as error:
        reasons = " ".join(error.messages)
        raise StackError(f"ROUNDHOUSE_ADMIN_PASSWORD is not good enough: {reasons}") from None
    finally:
        connections.close_all()  # the processes have their own


def administrator_token(environment: Environment, name: str) -> str:
    """Return a new token of the administrator, for a program on this machine; valid for a day.

    Raises:
        StackError: If the administrator has another name by now.
    """
    output = StringIO()
    try:
        call_command("create_token", environment.admin_username, name, days=1, stdout=output)
    except CommandError as error:
        raise StackError(f"{error} Set ROUNDHOUSE_ADMIN_USERNAME to one that is.") from None
    finally:
        connections.close_all()
    return output.getvalue().strip()


def _is_behind() -> bool:
    executor = MigrationExecutor(connections["default"])
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def say(sentence: str) -> None:
    """Tell the person at the terminal."""
    sys.stderr.write(f"roundhouse: {sentence}\n")
    sys.stderr.flush()


def show_password(environment: Environment, password: str | None) -> None:
    """Show a password that was made just now; it is stored as a hash only."""
    if password is not None:
        say(f"first administrator: {environment.admin_username}, password: {password}")
        say("the password is shown this once; change it after signing in")


@contextmanager
def explained() -> Iterator[None]:
    """Turn what can go wrong at the start into a sentence, and both ways to stop into one."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    except (StackError, ImproperlyConfigured) as error:
        say(f"error: {error}")
        raise typer.Exit(EXIT_INVALID) from None
    except DatabaseError as error:
        say(f"error: the database cannot be used: {error}")
        say("`roundhouse doctor` says more")
        raise typer.Exit(EXIT_FAILED) from None
    except KeyboardInterrupt:
        raise typer.Exit(EXIT_INTERRUPTED) from None


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt

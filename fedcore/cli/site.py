"""``roundhouse site``: take part in a server's runs from beside the data."""

from __future__ import annotations

import getpass
import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.markup import escape

from fedcore.errors import FedcoreError, PermanentError

if TYPE_CHECKING:
    from fedcore.agent.approvals import Answer
    from fedcore.agent.board import Snapshot
    from fedcore.agent.config import Site

EXIT_FAILED = 1
#: A file has to be changed before it makes sense to try again.
EXIT_INVALID = 2
#: The identity is no longer good: starting again will not help.
EXIT_REVOKED = 3
#: An agent writes its status at every heartbeat; one that has not for so long does not run.
_STALE = timedelta(minutes=3)

site = typer.Typer(
    help="Take part in a server's runs from beside the data, which stay here.",
    no_args_is_help=True,
)

ConfigOption = Annotated[
    Path,
    typer.Option("--config", envvar="ROUNDHOUSE_SITE_CONFIG", help="Configuration of the site."),
]
DEFAULT_CONFIG = Path("site.yaml")


@site.command("enrol")
def enrol_command(
    code: Annotated[str, typer.Argument(help="Code of the invitation; it is good once.")],
    server: Annotated[
        str | None, typer.Option(help="Address of the server; default: the configuration's.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    ca_file: Annotated[
        Path | None, typer.Option(help="Certificates to trust instead of the machine's, as PEM.")
    ] = None,
    pin: Annotated[
        list[str] | None,
        typer.Option(help="SHA-256 of the server's public key; another one is refused."),
    ] = None,
) -> None:
    """Make this site's key, show it to a server with the code of an invitation, and begin."""
    from fedcore.agent import parts, starting  # noqa: PLC0415
    from fedcore.agent.config import read_config  # noqa: PLC0415
    from fedcore.agent.connection import Connection  # noqa: PLC0415

    with _explained():
        if not config.exists():
            if server is None:
                raise typer.BadParameter("name the server with --server, as in the invitation")
            address = _address(server)
            starting.write_config(config, address, ca_file=ca_file, pins=tuple(pin or ()))
        settings, folder = read_config(config), config.resolve().parent
        if server is not None and _address(server) != settings.server:
            raise typer.BadParameter(f"{config} names another server: {settings.server}")
        tls = parts.tls_of(settings.server, settings.tls, folder)
        state_dir = folder / settings.state_dir
        with Connection(settings.server, None, tls=tls) as connection:
            from fedcore.agent.enrolment import enrol  # noqa: PLC0415  (loads torch)

            reply = enrol(code.strip(), connection, state_dir, parts.audit_log_in(state_dir))
        starting.write_policy(folder / settings.policy, reply.project)
    typer.echo(f"enrolled as {reply.name!r} in the project {reply.project!r}; state: {reply.state}")
    typer.echo(f"fingerprint of this site's key: {reply.fingerprint}")
    typer.echo("Read it to whoever invited you: they approve the site if they see the same.")
    typer.echo(
        f"Next: put data into {folder / settings.data_dir}, declare it in {config}, read "
        f"{folder / settings.policy}, then: roundhouse site run --config {config}"
    )


@site.command("run")
def run_command(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Do what the server asks and the policy allows, until Ctrl-C or SIGTERM."""
    from fedcore.agent.config import read_site  # noqa: PLC0415

    with _explained(), ExitStack() as stack:
        described = read_site(config)

        from fedcore.agent.agent import RevokedError  # noqa: PLC0415  (loads torch)
        from fedcore.agent.opening import open_agent  # noqa: PLC0415
        from fedcore.agent.page_server import PageServer  # noqa: PLC0415

        agent = stack.enter_context(open_agent(described))
        if described.config.status_page.enabled:
            page = PageServer(agent.office, described.config.status_page.port)
            stack.enter_context(page)
            typer.echo(f"status page: {page.address}", err=True)
        if not described.config.datasets:
            typer.echo(f"note: {config} declares no data set, so no run can use any", err=True)

        def stop(_number: int, _frame: FrameType | None) -> None:
            agent.stop()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        try:
            agent.run()
        except RevokedError:
            typer.echo("error: the server has revoked this site's identity", err=True)
            raise typer.Exit(EXIT_REVOKED) from None


@site.command("status")
def status_command(
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Say what the agent of this site is at; exit 1 if none runs."""
    from fedcore.agent.board import find_snapshot  # noqa: PLC0415
    from fedcore.agent.config import read_site  # noqa: PLC0415
    from fedcore.agent.parts import STATUS_FILE, identity_of  # noqa: PLC0415
    from fedcore.sites.signing import fingerprint  # noqa: PLC0415

    with _explained():
        described = read_site(config)
        identity = identity_of(described)
        snapshot = find_snapshot(described.state_dir / STATUS_FILE)
    is_running = snapshot is not None and _is_running(snapshot)
    if as_json:
        content = {} if snapshot is None else snapshot.model_dump(mode="json")
        typer.echo(json.dumps({"is_running": is_running, **content}))
    else:
        typer.echo(f"{identity.name}, site of {identity.project!r} at {identity.server}")
        typer.echo(f"key: {fingerprint(identity.public_key)}")
        _print_snapshot(snapshot, described, is_running=is_running)
    if not is_running:
        raise typer.Exit(EXIT_FAILED)


@site.command("check")
def check_command(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Check configuration, policy and data, and print what the server would be told of them."""
    from fedcore.agent.config import read_site  # noqa: PLC0415
    from fedcore.agent.datasets import declare, read_rows  # noqa: PLC0415
    from fedcore.sites.words import in_words  # noqa: PLC0415

    with _explained():
        described = read_site(config)
        for declared in described.config.datasets:
            told = declare(declared, read_rows(declared, described.data_dir))
            typer.echo(told.model_dump_json(indent=2, exclude_defaults=True))
        for rule in in_words(described.policy):
            typer.echo(f"{rule.name}: {rule.sentence}")


@site.command("approve")
def approve_command(
    run_id: Annotated[UUID, typer.Argument(metavar="RUN", help="Id of the run that waits.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Let a run through that waits for a person; the rules of the policy still hold."""
    from fedcore.agent.approvals import Answer  # noqa: PLC0415

    _answer(config, run_id, Answer.APPROVED)


@site.command("deny")
def deny_command(
    run_id: Annotated[UUID, typer.Argument(metavar="RUN", help="Id of the run.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Turn a run down, or take an approval back."""
    from fedcore.agent.approvals import Answer  # noqa: PLC0415

    _answer(config, run_id, Answer.DENIED)


@site.command("rotate-key")
def rotate_key_command(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Replace this site's key; stop the agent first."""
    from fedcore.agent.config import read_site  # noqa: PLC0415
    from fedcore.agent.connection import Connection  # noqa: PLC0415
    from fedcore.agent.enrolment import rotate_key  # noqa: PLC0415  (loads torch)
    from fedcore.agent.identity import IdentityStore  # noqa: PLC0415
    from fedcore.agent.machine_lock import only_one  # noqa: PLC0415
    from fedcore.agent.parts import audit_log, identity_of, tls_of  # noqa: PLC0415
    from fedcore.sites.signing import fingerprint  # noqa: PLC0415

    with _explained():
        described = read_site(config)
        identity = identity_of(described)
        tls = tls_of(identity.server, described.config.tls, described.folder)
        with (
            only_one(described.state_dir),
            Connection(identity.server, None, tls=tls) as connection,
        ):
            store = IdentityStore(described.state_dir)
            rotated = rotate_key(connection, store, audit_log(described))
    typer.echo(f"new key: {fingerprint(rotated.public_key)}")


@site.command("audit")
def audit_command(
    config: ConfigOption = DEFAULT_CONFIG,
    count: Annotated[int, typer.Option(min=1, help="How many of the latest lines.")] = 20,
) -> None:
    """Check that no line of the site's log was changed, and print the latest."""
    from fedcore.agent.config import read_site  # noqa: PLC0415
    from fedcore.agent.parts import audit_log  # noqa: PLC0415

    with _explained():
        log = audit_log(read_site(config))
        number = log.check()
        for entry in reversed(log.latest(count)):
            facts = " ".join(f"{name}={value}" for name, value in entry.facts.items())
            typer.echo(f"{entry.time} {entry.event} {facts}")
    typer.echo(f"{number} lines, none changed", err=True)


def _answer(config: Path, run_id: UUID, answer: Answer) -> None:
    from fedcore.agent.config import read_site  # noqa: PLC0415
    from fedcore.agent.parts import approvals  # noqa: PLC0415

    with _explained():
        approvals(read_site(config)).set(run_id, answer, by=f"command line ({getpass.getuser()})")
    typer.echo(f"run {run_id} is {answer.value}")


def _address(server: str) -> str:
    from pydantic_core import PydanticCustomError  # noqa: PLC0415

    from fedcore.agent.config import server_address  # noqa: PLC0415

    try:
        return server_address(server)
    except PydanticCustomError as error:
        fix = (error.context or {}).get("fix", "")
        raise typer.BadParameter(f"{error.message()} {fix}") from None


def _is_running(snapshot: Snapshot) -> bool:
    return not snapshot.has_stopped and datetime.now(UTC) - snapshot.updated_at < _STALE


def _print_snapshot(snapshot: Snapshot | None, described: Site, *, is_running: bool) -> None:
    if snapshot is None or not is_running:
        typer.echo("the agent does not run; start it with: roundhouse site run")
        return
    state = "not known yet" if snapshot.state is None else snapshot.state.value
    heard = snapshot.last_contact_at
    last = "never" if heard is None else f"{heard:%Y-%m-%d %H:%M:%S} UTC"
    typer.echo(f"state: {state}; server last heard: {last}")
    for about, message in snapshot.problems.items():
        typer.echo(f"problem: {about}: {message}")
    for each in snapshot.doing:
        typer.echo(f"now: {each.run_name}, round {each.round_index}: {each.stage}")
    for run in snapshot.waiting:
        typer.echo(f"waiting for you: {run.name} ({run.project}, {run.launched_by}): {run.summary}")
        typer.echo(f"  roundhouse site approve {run.run_id}    or: deny")
    if described.config.status_page.enabled:
        typer.echo(f"page: http://127.0.0.1:{described.config.status_page.port}/")


@contextmanager
def _explained() -> Iterator[None]:
    """Turn errors into messages with their fix, and never into a stack trace."""
    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        yield
    except FedcoreError as error:
        errors.print(f"[red]error:[/red] {escape(error.message)}")
        if error.fix:
            errors.print(f"  [dim]fix:[/dim] {escape(error.fix)}")
        is_hopeless = isinstance(error, PermanentError)
        raise typer.Exit(EXIT_INVALID if is_hopeless else EXIT_FAILED) from None
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        errors.print(f"[red]error:[/red] {escape(f'{error.strerror or error}{where}')}")
        raise typer.Exit(EXIT_FAILED) from None

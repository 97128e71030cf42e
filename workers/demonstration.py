"""The demo: every real part started, one run submitted over REST, its progress drawn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

from rich.console import Console

from webapp.client import Client, ClientError, Run
from webapp.client.commands import explain_end
from webapp.client.follow import watch_run
from workers.commands import starting
from workers.stack import Stack, free_port, running

NAME = "Demo: 20 clients, non-IID digits"
TOKEN_NAME = "roundhouse demo"  # noqa: S105 (a name)
GOAL = 0.90

#: Twenty clients whose classes differ (Dirichlet, alpha 0.5), half of them in each round.
SPEC = {
    "seed": 7,
    "rounds": 40,
    "dataset": {"kind": "digits"},
    "partition": {"kind": "dirichlet", "clients": 20, "alpha": 0.5},
    "model": {"kind": "mlp", "hidden": [200, 200]},
    "algorithm": {"kind": "fedavg"},
    "local": {"epochs": 2, "batch_size": 16, "optimizer": "sgd", "lr": 0.05, "momentum": 0.9},
    "sampling": {"kind": "random", "fraction": 0.5},
}


def demonstrate(port: int | None) -> int:
    """Run the demo, stop everything, and return 0 only if the run was a success."""
    with starting.explained(), _stack(port) as (stack, token):
        return _run(stack, token, Console())


def serve_and_demonstrate(port: int | None) -> int:
    """Run the demo, then keep serving until somebody stops it."""
    with starting.explained(), _stack(port) as (stack, token):
        status = _run(stack, token, Console())
        starting.say(f"serving at {stack.url}; Ctrl-C stops")
        Event().wait()
    return status


@contextmanager
def _stack(port: int | None) -> Iterator[tuple[Stack, str]]:
    environment = starting.load()
    host = environment.host
    stack = Stack(
        host=host,
        port=port or free_port(host, environment.port),
        workers=1,
        var_dir=environment.var,
    )
    starting.say("preparing the database")
    password = starting.prepare(environment)
    token = starting.administrator_token(environment, TOKEN_NAME)
    starting.say(f"starting web server, worker and upkeep; logs are in {stack.log_dir}")
    with running(stack, say=starting.say, log_dir=stack.log_dir):
        starting.say(f"ready at {stack.url}")
        starting.show_password(environment, password)
        yield stack, token


def _run(stack: Stack, token: str, console: Console) -> int:
    with Client(stack.url, token) as client:
        try:
            run = client.submit(name=NAME, spec=SPEC).runs[0]
            starting.say(f"run submitted: {client.run_url(run.id)}")
            ended = watch_run(client, run, console)
        except ClientError as error:
            starting.say(f"error: {error.message}")
            return starting.EXIT_FAILED
        explain_end(ended, console)
        reason = why_not_a_success(ended)
        if reason is not None:
            starting.say(f"the demo did not succeed: {reason}")
            return starting.EXIT_FAILED
        starting.say(f"success: accuracy {ended.latest_metrics['accuracy']:.4f} >= {GOAL}")
        starting.say(f"look at it: {client.run_url(run.id)}")
    return 0


def why_not_a_success(run: Run) -> str | None:
    """Return what keeps a run from being what the demo promises; None if nothing does."""
    if run.state != "succeeded":
        return f"the run is {run.state}"
    accuracy = run.latest_metrics.get("accuracy")
    if accuracy is None or accuracy < GOAL:
        return f"the accuracy is {accuracy}, less than {GOAL}"
    return None

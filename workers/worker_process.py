"""A worker process: Celery with one thread, so that one process is one warm engine.

The task trains in the pool's only thread while the main thread keeps the broker's heartbeats; no
process is forked after torch has started its threads.
"""

from __future__ import annotations

import gc
import logging
import os
import socket
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NoReturn

import django
from celery.signals import setup_logging, worker_ready

from webapp.celery import QUEUES, app
from workers.consuming import StrictConsumer

UPKEEP = "upkeep"
#: How long the thread that takes messages may compute while the one that trains wants to.
THREAD_SWITCH_S = 0.0005
TRAINING = ["workers.runs", "workers.previews", "workers.intents"]


def work(*, name: str, queues: Sequence[str], on_ready: Callable[[], None]) -> None:
    """Serve these queues until SIGTERM; an upkeep worker also keeps the clock.

    Raises:
        ValueError: For an unknown queue, or upkeep together with runs, which would wait for them.
    """
    _check_queues(queues)
    sys.setswitchinterval(THREAD_SWITCH_S)
    django.setup()
    app.loader.import_default_modules()
    _import_tasks(queues)
    app.steps["worker"].add(import_module("workers.presence").PresenceStep)
    if UPKEEP in queues:
        app.steps["worker"].add(import_module("workers.beat").BeatStep)
        app.steps["worker"].add(import_module("workers.post").PostStep)
    ready_receiver = _when_ready(on_ready)
    worker = app.Worker(
        hostname=f"{name}@{socket.gethostname()}",
        pool_cls="threads",
        consumer_cls=StrictConsumer,
        concurrency=1,
        queues=list(queues),
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    )
    worker.start()
    worker_ready.disconnect(ready_receiver)
    _exit(worker.exitcode or 0)


def _exit(status: int) -> NoReturn:
    """End now: all is written, and taking torch apart object by object takes a second or more."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _check_queues(queues: Sequence[str]) -> None:
    unknown = [queue for queue in queues if queue not in QUEUES]
    if unknown or not queues:
        raise ValueError(f"unknown queue {', '.join(unknown)}; use one of {', '.join(QUEUES)}")
    if UPKEEP in queues and len(queues) > 1:
        raise ValueError("upkeep needs a worker of its own: it must not wait for a run")


def _import_tasks(queues: Sequence[str]) -> None:
    # The upkeep worker stays small: only a worker that trains loads the engine, and with it torch.
    names = ["workers.upkeep"] if UPKEEP in queues else TRAINING
    for name in names:
        import_module(name)


def _when_ready(on_ready: Callable[[], None]) -> Callable[..., None]:
    def receive(**_: Any) -> None:
        # All that is loaded by now stays to the end. Looking through it for garbage takes a sixth
        # of a second, in the middle of a round.
        gc.freeze()
        on_ready()

    worker_ready.connect(receive, weak=False)
    return receive


@setup_logging.connect
def _keep_our_logging(**_: Any) -> None:
    """Stop Celery from configuring logging; Django's settings have."""
    logging.captureWarnings(capture=True)
    # A line for each message would drown what the tasks themselves say.
    for name in ("celery.beat", "celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(name).setLevel(logging.WARNING)

"""One client's work in one round, as a pure function.

It depends on the task and on the fixed parts of the run, on nothing else, so it may be done by any
executor, process or machine, with the same result.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import perf_counter
from typing import Literal

from fedcore.algorithms.base import AnyMethod
from fedcore.clients.trainer import AUTOGRAD, Trainer
from fedcore.clients.training import ClientData, LocalContext, ShouldStop, Trained
from fedcore.compression import CodecContext
from fedcore.messages import Message, Update
from fedcore.pipeline import PLAIN, Pipeline
from fedcore.privacy.steps import train_privately
from fedcore.rng import Purpose, rng
from fedcore.state import BUFFERS, ClientState

#: What becomes of an update, on the clock of the simulated clients.
Fate = Literal["arrives", "lost", "late"]


@dataclass(frozen=True, eq=False)
class ClientTask:
    """What one client has to do in one round.

    Attributes:
        seed: Seed of the run.
        round_index: Round in which the client was sent its message.
        message: What the server sent, as the client sees it.
        data: The client's examples.
        private: What the client kept from its last round; None the first time.
        cohort_size: How many clients the round is done with that uses the update.
        bytes_down: Size of the message on the wire; None if it travels as it is.
        copies: How often the client sends its update; once, where there is a server.
        since: First round that could have used the update.
        sim_seconds: How long the work takes on the clock of the simulated clients.
        fate: What becomes of the update.
    """

    seed: int
    round_index: int
    message: Message
    data: ClientData
    private: ClientState | None
    cohort_size: int = 1
    bytes_down: int | None = None
    copies: int = 1
    since: int = 0
    sim_seconds: float = 0.0
    fate: Fate = "arrives"


@dataclass(frozen=True, eq=False)
class ClientResult:
    """What came of a client's work.

    Attributes:
        update: What it sends.
        kept: What it keeps for its next round; None to keep what it had.
        num_seen: Examples worked through, repetitions included.
        duration_s: Measured time.
    """

    update: Update
    kept: ClientState | None
    num_seen: int
    duration_s: float


def client_round(
    method: AnyMethod,
    task: ClientTask,
    should_stop: ShouldStop,
    trainer: Trainer = AUTOGRAD,
    pipeline: Pipeline = PLAIN,
) -> ClientResult:
    """Return the result of one client's work.

    Raises:
        Interrupted: If ``should_stop`` said so, which it is asked before every batch.
        CodecError: If the update cannot be compressed as the spec asks.
    """
    began = perf_counter()
    private = None if task.private is None else task.private.of_method
    start, data = (
        method.receive(task.message, private),
        pipeline.training_data(task.data, task.round_index),
    )
    context = LocalContext.of(task.message.sections, None if private is None else private.sections)
    protection = pipeline.promises.protection(task.message.scalars, data, task.round_index)
    if protection is None:
        generator = rng(task.seed, Purpose.DATA_ORDER, task.round_index, task.data.client_id)
        trained = trainer.train(
            method, start, data, context=context, generator=generator, should_stop=should_stop
        )
    else:
        trained = train_privately(
            method, start, data, context=context, protection=protection, should_stop=should_stop
        )
    return result_of(method, task, trained, pipeline, perf_counter() - began)


def result_of(
    method: AnyMethod, task: ClientTask, trained: Trained, pipeline: Pipeline, duration_s: float
) -> ClientResult:
    """Return what a client sends and keeps after its training.

    Raises:
        CodecError: If the update cannot be compressed as the spec asks.
    """
    began = perf_counter()
    private = None if task.private is None else task.private.of_method
    update = method.uplink(trained, task.message, task.data)
    buffers = method.view.shared_buffers(trained.buffers)
    if buffers:
        update = replace(update, sections={**update.sections, BUFFERS: buffers})
    sent = pipeline.send(
        update,
        before=task.private,
        kept=method.keep(trained, task.message, private),
        context=CodecContext(task.seed, task.round_index, task.data.client_id, task.cohort_size),
        distorted=method.distorted,
        told=task.message.scalars,
    )
    return ClientResult(
        update=sent.update,
        kept=sent.kept,
        num_seen=trained.num_seen,
        duration_s=duration_s + perf_counter() - began,
    )

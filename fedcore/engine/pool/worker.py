"""One process of the pool: trains lanes and tests batches, whenever asked."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection

from fedcore.aggregators import Accumulator
from fedcore.clients.trainer import Trainer
from fedcore.clients.training import Interrupted
from fedcore.engine.context import RunContext
from fedcore.engine.evaluation import score_examples
from fedcore.engine.executor import SequentialExecutor
from fedcore.engine.intake import Asked, take_in_lane
from fedcore.engine.pool.arena import Arena, Flag
from fedcore.engine.pool.packing import (
    Packed,
    Packer,
    Unpacker,
    receive,
    send,
    unpack_schemas,
)


@dataclass(frozen=True, eq=False)
class Desk:
    """What a process works with.

    Attributes:
        orders: Where orders come from and answers go to.
        stop: Up while the round is to be given up.
        inbox: Tensors from the server.
        outbox: Tensors for the server.
    """

    orders: Connection
    stop: Flag
    inbox: Arena
    outbox: Arena


class Worker:
    """Answers orders until there are no more."""

    def __init__(self, context: RunContext, trainer: Trainer, desk: Desk) -> None:
        self._context = context
        self._trainer = trainer
        self._desk = desk
        self._local = SequentialExecutor(context, trainer)
        self._packer = Packer(context.layout, desk.outbox)
        self._unpacker = Unpacker(context.layout, desk.inbox)
        self._asked: Asked | None = None

    def serve(self) -> None:
        """Work until the other side ends."""
        while True:
            try:
                order = receive(self._desk.orders)
            except EOFError:
                return
            try:
                answer = self._answer(order)
            except Interrupted:
                answer = {"interrupted": True}
            except Exception as error:  # noqa: BLE001  (the other side must not wait for ever)
                answer = {"error": f"{type(error).__name__}: {error}", "at": traceback.format_exc()}
            try:
                send(self._desk.orders, answer)
            except OSError:
                return

    def _answer(self, order: dict[str, Packed]) -> dict[str, Packed]:
        if order["do"] == "open":
            return self._open(order)
        if order["do"] == "train":
            return self._train(order)
        return self._score(order)

    def _open(self, order: dict[str, Packed]) -> dict[str, Packed]:
        self._packer.forget()
        self._unpacker.forget()
        self._asked = Asked(
            round_index=order["round"],
            expected=unpack_schemas(order["expected"]),
            start=lambda: Accumulator({}),
            max_norm=order["max_norm"],
            clip=order["clip"],
        )
        return {}

    def _train(self, order: dict[str, Packed]) -> dict[str, Packed]:
        if self._asked is None:
            raise RuntimeError("no round was opened")
        tasks = tuple(self._unpacker.task(task, self._context) for task in order["tasks"])
        outcomes = self._local.outcomes(tasks, self._desk.stop.is_up)
        if order["fold"]:
            progress = take_in_lane(self._context, self._asked, tasks, outcomes)
            return {"lane": order["lane"], "progress": self._packer.progress(progress)}
        return {
            "lane": order["lane"],
            "outcomes": [self._packer.outcome(outcome) for outcome in outcomes],
        }

    def _score(self, order: dict[str, Packed]) -> dict[str, Packed]:
        model = self._unpacker.params(order["model"])
        tallies = score_examples(
            self._context, self._trainer, model, order["starts"], self._desk.stop.is_up
        )
        return {"starts": order["starts"], "tallies": self._desk.outbox.put(tallies)}

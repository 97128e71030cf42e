"""What becomes of the outcomes of clients' work: admit, fold and record each one.

A lane's outcomes are taken in one after the other, where the work was done or where the server is;
what comes of several lanes is then joined. Both are the same functions for every executor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import add
from time import perf_counter

from fedcore.aggregators import Accumulator
from fedcore.aggregators.base import merge_in_tree
from fedcore.clients.training import Interrupted
from fedcore.clients.work import ClientResult, ClientTask
from fedcore.engine.admission import Gate
from fedcore.engine.buffers import NO_BUFFERS, BufferMean, split_buffers
from fedcore.engine.context import RunContext
from fedcore.engine.report import ClientReport, Status
from fedcore.messages import Arrival, Message, Update
from fedcore.params import Params, Section
from fedcore.pipeline import Sent
from fedcore.state import ClientState
from fedcore.wire import Schema, encoded_size, schema_of

_LOSS = "loss"


@dataclass(frozen=True)
class ClientFailure:
    """A client whose work has come to nothing.

    Attributes:
        reason: The exception's class and message, or what else has happened.
        duration_s: How long the work took until then.
        status: What to call it.
        bytes_up: What arrived of it all the same.
    """

    reason: str
    duration_s: float
    status: Status = "failed"
    bytes_up: int = 0


Outcome = ClientResult | ClientFailure


@dataclass(frozen=True, eq=False)
class Asked:
    """What the updates of a round must look like, and what they are folded into.

    Attributes:
        round_index: Which round uses them; they may have been begun in earlier ones.
        expected: Schema of each client's update.
        start: Makes an accumulator without updates.
        max_norm: Longest update that is let in; None before the first was seen.
        clip: Length that updates are cut to before they are used; None uses them as they are.
    """

    round_index: int
    expected: Mapping[int, Schema]
    start: Callable[[], Accumulator]
    max_norm: float | None = None
    clip: float | None = None


@dataclass(eq=False)
class Progress:
    """What has come in so far from some clients in one round.

    Attributes:
        is_borrowed: Whether the accumulator's tensors lie in memory that is used again for the next
            round.
        buffers: The model's buffers, combined.
    """

    accumulator: Accumulator
    reports: list[ClientReport] = field(default_factory=list)
    kept: dict[int, ClientState] = field(default_factory=dict)
    loss_sum: float = 0.0
    weight_sum: float = 0.0
    is_borrowed: bool = False
    buffers: BufferMean = NO_BUFFERS


@dataclass(frozen=True, eq=False)
class _Lane:
    """What the clients of one lane have in common; each gate is for one version of the model."""

    context: RunContext
    asked: Asked
    gates: Mapping[int, Gate]


def work_off(
    tasks: Sequence[ClientTask], client_round: Callable[[ClientTask], ClientResult]
) -> Iterator[Outcome]:
    """Do clients' work one after the other and yield what comes of it.

    Raises:
        Interrupted: If ``client_round`` was asked to stop.
    """
    for task in tasks:
        began = perf_counter()
        try:
            yield client_round(task)
        except Interrupted:
            raise
        except Exception as error:  # noqa: BLE001  (one client must not take the others down)
            reason = f"{type(error).__name__}: {error}"
            yield ClientFailure(reason, perf_counter() - began)


def take_in_lane(
    context: RunContext, asked: Asked, tasks: Sequence[ClientTask], outcomes: Iterator[Outcome]
) -> Progress:
    """Return what comes of the clients of one lane, folded in their order."""
    versions = sorted({task.round_index for task in tasks})
    gates = {version: _gate(context, asked, tasks, version) for version in versions}
    progress = Progress(asked.start())
    for task, outcome in zip(tasks, outcomes, strict=True):
        _take_in(_Lane(context, asked, gates), progress, task, outcome)
    return progress


def _gate(context: RunContext, asked: Asked, tasks: Sequence[ClientTask], version: int) -> Gate:
    """Return the gate of the clients that were given one version of the model."""

    def opened(update: Update) -> Update:
        return context.pipeline.open(update, asked.expected[update.client_id], version)

    clients = [task.data.client_id for task in tasks if task.round_index == version]
    return Gate(
        base_version=version,
        expected=on_wire(context, asked, clients, version),
        open=opened,
        objection=context.method.objection,
        max_norm=asked.max_norm,
    )


def on_wire(
    context: RunContext, asked: Asked, clients: Sequence[int], version: int
) -> dict[int, Schema]:
    """Return the schema of each client's update on the wire; most have one in common."""
    plain = {client_id: asked.expected[client_id] for client_id in clients}
    unique = {id(schema): schema for schema in plain.values()}
    coded = {key: context.pipeline.on_wire(schema, version) for key, schema in unique.items()}
    return {client_id: coded[id(schema)] for client_id, schema in plain.items()}


def join(context: RunContext, asked: Asked, lanes: Sequence[Progress]) -> Progress:
    """Return what came from all lanes together; their order decides the last digits.

    All of it is merged in one tree, so joining branches of the tree first changes nothing.
    """
    if not lanes:
        return Progress(asked.start())
    accumulator = context.method.merge_all([lane.accumulator for lane in lanes])
    if any(lane.is_borrowed for lane in lanes):
        accumulator = replace(accumulator, sections=owned(accumulator.sections))
    return Progress(
        accumulator=accumulator,
        reports=sorted(
            (report for lane in lanes for report in lane.reports),
            key=lambda report: report.client_id,
        ),
        kept={client_id: kept for lane in lanes for client_id, kept in lane.kept.items()},
        loss_sum=merge_in_tree([lane.loss_sum for lane in lanes], add),
        weight_sum=merge_in_tree([lane.weight_sum for lane in lanes], add),
        buffers=merge_in_tree([lane.buffers for lane in lanes], BufferMean.merge),
    )


def owned(sections: Mapping[str, Section]) -> dict[str, Section]:
    """Return copies of some sections."""
    return {
        name: section.clone()
        if isinstance(section, Params)
        else {key: tensor.clone() for key, tensor in section.items()}
        for name, section in sections.items()
    }


def _take_in(lane: _Lane, progress: Progress, task: ClientTask, outcome: Outcome) -> None:
    """Admit, fold and record what came of one client's work."""
    bytes_down = _wire_size(task.message) if task.bytes_down is None else task.bytes_down
    if isinstance(outcome, ClientFailure):
        progress.reports.append(
            ClientReport(
                client_id=task.data.client_id,
                num_samples=len(task.data),
                loss=None,
                duration_s=outcome.duration_s,
                bytes_up=outcome.bytes_up,
                bytes_down=bytes_down,
                status=outcome.status,
                reason=outcome.reason,
            )
        )
        return
    verdict = _verdict(lane, progress, task, outcome)
    if verdict.status != "ok":
        _let_remember(lane, progress, task, outcome)
    progress.reports.append(
        ClientReport(
            client_id=task.data.client_id,
            num_samples=len(task.data),
            loss=outcome.update.scalars.get(_LOSS),
            duration_s=outcome.duration_s,
            bytes_up=0 if task.fate == "lost" else task.copies * _wire_size(outcome.update),
            bytes_down=bytes_down,
            status=verdict.status,
            reason=verdict.reason,
            update_norm=verdict.norm,
            sim_seconds=task.sim_seconds,
        )
    )


@dataclass(frozen=True)
class _Verdict:
    """What became of an update, why or what is odd about it, and how long it is."""

    status: Status
    reason: str | None
    norm: float | None = None


def _verdict(lane: _Lane, progress: Progress, task: ClientTask, result: ClientResult) -> _Verdict:
    """Fold an update that arrives in time and is admitted; return what became of it."""
    if task.fate == "lost":
        return _Verdict("lost", "the simulated client was lost before it answered")
    if task.fate == "late":
        taken = f"arrived after {task.sim_seconds:.3g} s"
        return _Verdict("late", f"{taken}, later than runtime.deadline_s")
    admission = lane.gates[task.round_index].admit(result.update)
    update = admission.update
    if update is None:
        return _Verdict("refused", admission.refusal, admission.norm)
    update, buffers = split_buffers(update)
    progress.buffers = progress.buffers.fold(buffers, len(task.data))
    update = lane.context.pipeline.promises.bounded(update, lane.asked.clip)
    update = replace(update, arrival=_way_of(task, lane.asked.round_index))
    progress.accumulator = lane.context.method.fold(progress.accumulator, update)
    loss = update.scalars.get(_LOSS)
    if loss is not None:
        progress.loss_sum += update.weight * loss
        progress.weight_sum += update.weight
    if result.kept is not None:
        progress.kept[task.data.client_id] = result.kept
    norm = None if lane.context.pipeline.promises.sealing else admission.norm
    return _Verdict("ok", lane.context.pipeline.remark(update), norm)


def _way_of(task: ClientTask, round_index: int) -> Arrival:
    return Arrival(
        staleness=round_index - task.round_index,
        rounds=round_index - task.since + 1,
        seconds=task.sim_seconds,
    )


def _let_remember(lane: _Lane, progress: Progress, task: ClientTask, result: ClientResult) -> None:
    """Keep what a client remembers of an update that was not used."""
    asked = lane.asked
    sent = Sent(result.update, result.kept)
    plain = asked.expected[task.data.client_id]
    kept = lane.context.pipeline.take_back(sent, task.private, plain, task.round_index)
    if kept is not None:
        progress.kept[task.data.client_id] = kept


def _wire_size(message: Message) -> int:
    """Return the bytes that a message takes on the wire."""
    return encoded_size(schema_of(message))

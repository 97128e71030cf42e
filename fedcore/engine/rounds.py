"""One round: a function from a state to the next state.

Plan, let the executor do the clients' work, join what comes of it, finish, test.
The next state is built only at the end, so a round that is interrupted or fails has no effect.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from time import perf_counter

from fedcore.clients.training import ShouldStop
from fedcore.engine.admission import NUM_NORMS
from fedcore.engine.buffers import after_round
from fedcore.engine.context import RunContext
from fedcore.engine.evaluation import Evaluation, evaluate, is_due, next_stopping
from fedcore.engine.executor import Executor
from fedcore.engine.intake import Progress, join
from fedcore.engine.planning import RoundPlan, plan
from fedcore.engine.report import ClientReport, RoundReport
from fedcore.engine.second_try import left_to_do
from fedcore.errors import DivergedError, TooFewUpdatesError
from fedcore.params import is_finite
from fedcore.sampling import Seen
from fedcore.state import Broadcast, RunState, Totals
from fedcore.topology import pairs

_LOSS = "loss"
MAX_NAMED_CLIENTS = 10


def play_round(
    context: RunContext, state: RunState, executor: Executor, should_stop: ShouldStop
) -> tuple[RunState, RoundReport]:
    """Return the state after the next round, and what happened in it.

    Raises:
        Interrupted: If ``should_stop`` said so.
        TooFewUpdatesError: If fewer than ``runtime.min_updates`` updates could be used.
        DivergedError: If the new global model holds numbers that are not finite.
    """
    began = perf_counter()
    planned = plan(context, state)
    return conclude(
        context,
        state,
        planned,
        train_round(context, state, planned, executor, should_stop),
        examine=lambda trained: evaluate(context, trained, executor, should_stop),
        executor=executor.name,
        began=began,
    )


def train_round(
    context: RunContext,
    state: RunState,
    planned: RoundPlan,
    executor: Executor,
    should_stop: ShouldStop,
    *,
    kept: Progress | None = None,
) -> Progress:
    """Return what the clients of a round have done.

    Args:
        context: The run.
        state: Before the round.
        planned: Who takes part.
        executor: Does their work.
        should_stop: Asked at every batch boundary.
        kept: What some of them have done in an earlier try.

    Raises:
        Interrupted: If ``should_stop`` said so.
    """
    work = planned.work
    if kept is not None:
        work = left_to_do(work, kept, state.model.flat.nbytes)
    done = dict(executor.train(work, should_stop))
    lanes = [done[lane] for lane in range(len(work.lanes))]
    return join(context, work.asked, lanes if kept is None else [kept, *lanes])


def conclude(
    context: RunContext,
    state: RunState,
    planned: RoundPlan,
    progress: Progress,
    *,
    examine: Callable[[RunState], Evaluation],
    executor: str,
    began: float,
) -> tuple[RunState, RoundReport]:
    """Return the state after a round whose clients have done their part, and what happened in it.

    Args:
        context: The run.
        state: Before the round.
        planned: Who took part.
        progress: What came of their work.
        examine: Tests the new state, if a test is due.
        executor: How the clients' work was done.
        began: When the round began, by ``perf_counter``.

    Raises:
        Interrupted: If ``should_stop`` said so.
        TooFewUpdatesError: If fewer than ``runtime.min_updates`` updates could be used.
        DivergedError: If the new global model holds numbers that are not finite.
    """
    trained = advance(context, state, planned, progress)
    is_tested = is_due(context, state.round_index)
    evaluation = examine(trained) if is_tested else Evaluation({})
    report = RoundReport(
        round_index=state.round_index,
        metrics={
            **evaluation.metrics,
            **_train_loss(context, state, progress),
            **context.method.round_metrics(trained),
            **context.pipeline.promises.metrics(trained),
        },
        bytes_up=sum(client.bytes_up for client in progress.reports),
        bytes_down=planned.bytes_down,
        seconds=perf_counter() - began,
        sim_seconds=planned.seconds,
        participants=progress.accumulator.count,
        clients=tuple(progress.reports),
        scores=evaluation.scores,
        executor=executor,
        adversaries=_adversaries(context, planned),
        warnings=_warnings(progress),
        links=_links(context, state.round_index),
    )
    return _next_state(context, trained, planned, progress, report), report


def _links(context: RunContext, round_index: int) -> tuple[tuple[int, int], ...]:
    """Return who talked to whom; with a server nobody did, and nobody need be looked at."""
    if context.spec.topology.has_server:
        return ()
    return pairs(context.method.context.network.links(round_index))


def advance(
    context: RunContext, state: RunState, planned: RoundPlan, progress: Progress
) -> RunState:
    """Return the state with the server's step made, before it is tested and counted.

    Raises:
        TooFewUpdatesError: If fewer than ``runtime.min_updates`` updates could be used.
        DivergedError: If the new global model holds numbers that are not finite.
    """
    _check_enough(context, state, planned, progress)
    state = context.pipeline.promises.accounted(
        state, (task.data.client_id for task in planned.work.tasks)
    )
    trained = after_round(_finished(context, state, progress), progress.buffers)
    _check_finite(trained)
    return trained


def _finished(context: RunContext, state: RunState, progress: Progress) -> RunState:
    """Return the state after the server has used the updates of a round.

    Without any, that is how it was, unless the method or privacy makes something of that, too.
    """
    pipeline, method = context.pipeline, context.method
    accumulator, accounted = pipeline.promises.release(progress.accumulator, state, context.layout)
    if not (accumulator.count or method.trigger.allows_none):
        return accounted
    return method.finish(accumulator, accounted)


def _check_enough(
    context: RunContext, state: RunState, planned: RoundPlan, progress: Progress
) -> None:
    needed, count = context.spec.runtime.min_updates, progress.accumulator.count
    if context.method.trigger.allows_none:
        needed = min(needed, planned.num_due)
    elif context.spec.sampling.can_be_empty:
        needed = min(needed, len(planned.work.tasks))
    needed = max(needed, context.pipeline.promises.fewest_updates(len(planned.work.tasks)))
    if count >= needed or _goes_on_without(context, state, progress):
        return
    lost = {c.client_id: c.reason for c in progress.reports if c.status != "ok"}
    named = "; ".join(
        f"client {c}: {reason}" for c, reason in list(lost.items())[:MAX_NAMED_CLIENTS]
    )
    more = f"; and {len(lost) - MAX_NAMED_CLIENTS} more" if len(lost) > MAX_NAMED_CLIENTS else ""
    raise TooFewUpdatesError(
        f"round {state.round_index} got {count} of the {needed} updates it needs ({named}{more})",
        round_index=state.round_index,
        client_ids=list(lost),
        client_id=next(iter(lost), None),
        reasons=lost,
        **_advice(lost),
    )


def _goes_on_without(context: RunContext, state: RunState, progress: Progress) -> bool:
    """Return whether an asynchronous server waits for the next arrivals instead of a step.

    It does until as many updates in a row as clients are at work were of no use: then it is not
    one client that is broken.
    """
    if not context.spec.algorithm.is_asynchronous or progress.accumulator.count:
        return False
    at_work = context.spec.sampling.cohort_size(len(context.available))
    return _unused_in_a_row(context, state, progress) < at_work


def _unused_in_a_row(context: RunContext, state: RunState, progress: Progress) -> int:
    if progress.accumulator.count or not context.spec.algorithm.is_asynchronous:
        return 0
    return state.stopping.unused_in_a_row + len(progress.reports)


def _advice(lost: dict[int, str | None]) -> dict[str, str]:
    """Return field and fix where the reasons point to one."""
    if any(reason is not None and reason.startswith("not finite") for reason in lost.values()):
        return {
            "field": "local.lr",
            "fix": "Training diverged on these clients; lower local.lr.",
        }
    if any(reason is not None and "simulated" in reason for reason in lost.values()):
        return {"field": "system.dropout", "fix": "Lower system.dropout, or sample more clients."}
    if any(reason is not None and "deadline_s" in reason for reason in lost.values()):
        return {"field": "runtime.deadline_s", "fix": "Raise runtime.deadline_s."}
    return {"fix": "See the clients' reasons; runtime.min_updates says how many are needed."}


def _check_finite(state: RunState) -> None:
    if not is_finite([state.model.flat]):
        raise DivergedError(
            f"the global model is not finite after round {state.round_index}",
            round_index=state.round_index,
            field="local.lr",
            fix="Lower local.lr or algorithm.server_lr.",
        )


def _next_state(
    context: RunContext,
    trained: RunState,
    planned: RoundPlan,
    progress: Progress,
    report: RoundReport,
) -> RunState:
    totals = trained.totals
    stopping = trained.stopping
    if _LOSS in report.metrics:
        stopping = next_stopping(context.spec.evaluation, stopping, dict(report.metrics))
    unused = _unused_in_a_row(context, trained, progress)
    return replace(
        trained,
        round_index=report.round_index + 1,
        clients=trained.clients.updated(progress.kept),
        flights=planned.flights,
        sampler=context.sampler.learn(planned.sampler, report.round_index, _seen(report.clients)),
        broadcast=_heard(context, planned, report),
        norms=_latest_norms(trained.norms, report),
        totals=Totals(
            rounds=totals.rounds + 1,
            bytes_up=totals.bytes_up + report.bytes_up,
            bytes_down=totals.bytes_down + report.bytes_down,
            seconds=totals.seconds + report.seconds,
            sim_seconds=totals.sim_seconds + report.sim_seconds,
        ),
        metrics={**trained.metrics, **report.metrics},
        stopping=replace(stopping, unused_in_a_row=unused),
    )


def _seen(clients: Sequence[ClientReport]) -> tuple[Seen, ...]:
    """Return what the server has seen of a cohort: nothing of clients that never answered."""
    return tuple(
        Seen(
            client.client_id,
            client.num_samples,
            client.loss if client.status == "ok" else None,
            client.sim_seconds,
        )
        for client in clients
        if client.status in ("ok", "refused", "late")
    )


def _heard(context: RunContext, planned: RoundPlan, report: RoundReport) -> Broadcast:
    """Return what clients know after a round; one that failed may have received nothing."""
    broadcast = planned.broadcast
    if not broadcast.sections and not context.method.tracks_listeners:
        return broadcast
    failed = {client.client_id for client in report.clients if client.status == "failed"}
    now = dict.fromkeys((c for c in planned.heard if c not in failed), report.round_index)
    return replace(broadcast, heard={**broadcast.heard, **now})


def _train_loss(context: RunContext, state: RunState, progress: Progress) -> dict[str, float]:
    """Return the clients' mean loss, unless nobody has told any."""
    in_sum = context.pipeline.promises.loss(progress.accumulator, state)
    if in_sum is not None:
        return {"train_loss": in_sum}
    if progress.weight_sum == 0:
        return {}
    return {"train_loss": progress.loss_sum / progress.weight_sum}


def _adversaries(context: RunContext, planned: RoundPlan) -> tuple[int, ...]:
    """Return which clients of a cohort attacked."""
    began = ((task.data.client_id, task.round_index) for task in planned.work.tasks)
    return tuple(c for c, index in began if context.pipeline.attacking((c,), index))


def _warnings(progress: Progress) -> tuple[str, ...]:
    """Return what is odd about updates that were used, each kind once, with its clients."""
    clients: dict[str, list[int]] = {}
    for report in progress.reports:
        if report.status == "ok" and report.reason is not None:
            clients.setdefault(report.reason, []).append(report.client_id)
    return tuple(f"{len(ids)} clients: {reason}" for reason, ids in clients.items())


def _latest_norms(norms: tuple[float, ...], report: RoundReport) -> tuple[float, ...]:
    found = (c.update_norm for c in report.clients if c.status == "ok")
    return (*norms, *(norm for norm in found if norm is not None))[-NUM_NORMS:]

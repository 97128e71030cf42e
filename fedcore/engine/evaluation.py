"""Tests of the global model, and of the clients' own, on examples that nobody trains on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from fedcore.clients.trainer import Trainer
from fedcore.clients.training import Interrupted, ShouldStop
from fedcore.engine.buffers import model_in_use
from fedcore.engine.context import RunContext
from fedcore.engine.report import ClientScore
from fedcore.params import Params
from fedcore.spec.tasks import METRICS
from fedcore.spec.training import EvaluationSpec, TargetSpec
from fedcore.state import RunState, Stopping
from fedcore.tasks import Task, spread

#: Fixed, because fast matrix routines may round differently for other sizes.
BATCH_SIZE = 1000


@dataclass(frozen=True, eq=False)
class Portrait:
    """A client, and the model with which it predicts."""

    client_id: int
    model: Params


class Examiner(Protocol):
    """Tests models; every executor is one."""

    def score(self, model: Params, should_stop: ShouldStop) -> Tensor:
        """Return what each test example adds to the metrics; see ``Executor.score``."""

    def score_each(
        self, portraits: Iterable[Portrait], should_stop: ShouldStop
    ) -> Iterator[tuple[int, Tensor]]:
        """Yield what each client's own examples add; see ``score_portraits``."""


@dataclass(frozen=True)
class Evaluation:
    """Result of a test.

    Attributes:
        metrics: Figures by name.
        scores: Per client, if asked for.
    """

    metrics: dict[str, float]
    scores: tuple[ClientScore, ...] = ()


def is_due(context: RunContext, round_index: int) -> bool:
    """Return whether a round ends with a test: every so many rounds, and the last one."""
    done = round_index + 1
    return done % context.spec.evaluation.every == 0 or done == context.spec.rounds


def evaluate(
    context: RunContext, state: RunState, examiner: Examiner, should_stop: ShouldStop
) -> Evaluation:
    """Return how the models of a state do on the test split.

    The global model is tested on all of it. Where clients predict with models of their own, each of
    those is tested on its client's examples; if there is no global model, the figures of the run
    are theirs.

    Raises:
        Interrupted: If ``should_stop`` said so.
    """
    method, task = context.method, context.objective
    weights = method.evaluate_model(state)
    tallies = None
    if weights is not None:
        tallies = examiner.score(model_in_use(weights, state), should_stop)
    own: dict[int, Tensor] = {}
    if method.has_personal_models:
        clients = _with_test_examples(context)
        portraits = (_portrait(context, state, client_id) for client_id in clients)
        own = dict(examiner.score_each(portraits, should_stop))
    metrics: dict[str, float] = {}
    if own:
        metrics = task.summarise(torch.stack(list(own.values())).sum(0))
        metrics |= {f"personal_{name}": value for name, value in metrics.items()}
    if tallies is not None:
        metrics |= task.summarise(tallies.sum(0))
    if not own and not context.spec.evaluation.per_client:
        return Evaluation(metrics)
    groups = {client_id: method.cluster_of(state, client_id) for client_id in own}
    clusters = {client_id: group for client_id, group in groups.items() if group is not None}
    metrics |= _of_clusters(task, own, clusters)
    return _with_clients(context, metrics, tallies, own)


def _of_clusters(
    task: Task, own: Mapping[int, Tensor], clusters: Mapping[int, int]
) -> dict[str, float]:
    """Return how each cluster does on its clients' examples, and how many clients it has."""
    metrics: dict[str, float] = {}
    for number in sorted(set(clusters.values())):
        members = [own[client] for client, cluster in clusters.items() if cluster == number]
        found = task.summarise(torch.stack(members).sum(0))
        metrics |= {f"cluster_{number}_{name}": value for name, value in found.items()}
        metrics[f"cluster_{number}_clients"] = float(len(members))
    return metrics


def _with_clients(
    context: RunContext, metrics: dict[str, float], tallies: Tensor | None, own: dict[int, Tensor]
) -> Evaluation:
    """Return a test with the figures of every client, and how unlike they are."""
    scores = _score_clients(context, tallies, own)
    main = context.objective.metrics[0]
    better = main.higher_is_better
    if context.spec.evaluation.per_client and tallies is not None:
        values = [client.metrics[main.name] for client in scores]
        metrics |= spread(values, name=main.name, higher_is_better=better)
    if own:
        values = [client.metrics[f"personal_{main.name}"] for client in scores]
        metrics |= spread(values, name=main.name, higher_is_better=better, whose="personal")
    return Evaluation(metrics, scores)


def _portrait(context: RunContext, state: RunState, client_id: int) -> Portrait:
    weights = context.method_of(client_id).personal_model(state, client_id)
    return Portrait(client_id, model_in_use(weights, state))


def next_stopping(spec: EvaluationSpec, before: Stopping, metrics: dict[str, float]) -> Stopping:
    """Return what a test means for the end of the run."""
    loss = metrics["loss"]
    is_gain = math.isfinite(loss) and (before.best_loss is None or loss < before.best_loss)
    return Stopping(
        is_target_met=before.is_target_met or _meets(spec.target, metrics),
        best_loss=loss if is_gain else before.best_loss,
        tests_without_gain=0 if is_gain else before.tests_without_gain + 1,
    )


def is_finished(context: RunContext, state: RunState) -> bool:
    """Return whether a run has had its last round."""
    patience = context.spec.evaluation.patience
    return (
        state.round_index >= context.spec.rounds
        or state.stopping.is_target_met
        or (patience is not None and state.stopping.tests_without_gain >= patience)
    )


def _meets(target: TargetSpec | None, metrics: dict[str, float]) -> bool:
    if target is None:
        return False
    value = metrics[target.metric]
    is_higher_better = METRICS[target.metric].higher_is_better
    return value >= target.value if is_higher_better else value <= target.value


def score_examples(
    context: RunContext,
    trainer: Trainer,
    model: Params,
    starts: Sequence[int],
    should_stop: ShouldStop,
) -> Tensor:
    """Return what the test examples in some batches add to the metrics, on the CPU.

    The shape is (examples, columns), float64; see ``Task.tally``.

    Args:
        context: The run.
        trainer: Computes the model's outputs.
        model: What to test.
        starts: First example of each batch.
        should_stop: Asked before every batch.

    Raises:
        Interrupted: If ``should_stop`` said so.
    """
    test = context.dataset.test
    apply = trainer.outputs(context.method, model)
    tallies = []
    with torch.no_grad():
        for start in starts:
            if should_stop():
                raise Interrupted
            x, y = test.x[start : start + BATCH_SIZE], test.y[start : start + BATCH_SIZE]
            tallies.append(context.objective.tally(apply(x), y))
    return torch.cat(tallies).cpu()


def score_portraits(
    context: RunContext, trainer: Trainer, portraits: Iterable[Portrait], should_stop: ShouldStop
) -> Iterator[tuple[int, Tensor]]:
    """Yield per client the sum of what its test examples add to the metrics, on the CPU.

    Raises:
        Interrupted: If ``should_stop`` said so, which it is asked before every client.
    """
    test = context.dataset.test
    for portrait in portraits:
        if should_stop():
            raise Interrupted
        apply = trainer.outputs(context.method_of(portrait.client_id), portrait.model)
        total: Tensor | None = None
        with torch.no_grad():
            for rows in context.partition.test.of_client(portrait.client_id).split(BATCH_SIZE):
                outputs = apply(test.x.index_select(0, rows))
                tally = context.objective.tally(outputs, test.y.index_select(0, rows)).sum(0)
                total = tally if total is None else total + tally
        if total is not None:
            yield portrait.client_id, total.cpu()


def _with_test_examples(context: RunContext) -> list[int]:
    shares = context.partition.test
    return [client for client in range(len(shares)) if len(shares.of_client(client)) > 0]


def _score_clients(
    context: RunContext, tallies: Tensor | None, own: dict[int, Tensor]
) -> tuple[ClientScore, ...]:
    """Return how the global model and the clients' own do on each client's examples."""
    task = context.objective
    scores = []
    for client_id in _with_test_examples(context):
        rows = context.partition.test.of_client(client_id).cpu()
        metrics: dict[str, float] = {}
        if client_id in own:
            metrics = task.summarise(own[client_id])
            metrics |= {f"personal_{name}": value for name, value in metrics.items()}
        if tallies is not None:
            metrics |= task.summarise(tallies[rows].sum(0))
        scores.append(ClientScore(client_id, len(rows), metrics))
    return tuple(scores)

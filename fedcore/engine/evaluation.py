"""Tests of the global model on examples that nobody trains on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

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
from fedcore.tasks import spread

#: Tests a model on every test example; see ``Executor.score``.
Score = Callable[[Params, ShouldStop], Tensor]

#: Fixed, because fast matrix routines may round differently for other sizes.
BATCH_SIZE = 1000


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
    context: RunContext, state: RunState, score: Score, should_stop: ShouldStop
) -> Evaluation:
    """Return how the model of a state does on the test split.

    Raises:
        Interrupted: If ``should_stop`` said so.
    """
    task = context.objective
    tallies = score(model_in_use(context.method.evaluate_model(state), state), should_stop)
    metrics = task.summarise(tallies.sum(0))
    if not context.spec.evaluation.per_client:
        return Evaluation(metrics)
    scores = _score_clients(context, tallies)
    main = task.metrics[0]
    values = [client.metrics[main.name] for client in scores]
    fairness = spread(values, name=main.name, higher_is_better=main.higher_is_better)
    return Evaluation(metrics | fairness, scores)


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


def _score_clients(context: RunContext, tallies: Tensor) -> tuple[ClientScore, ...]:
    shares = context.partition.test
    scores = []
    for client_id in range(len(shares)):
        rows = shares.of_client(client_id).cpu()
        if len(rows) > 0:
            metrics = context.objective.summarise(tallies[rows].sum(0))
            scores.append(ClientScore(client_id, len(rows), metrics))
    return tuple(scores)

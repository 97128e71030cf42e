"""Tasks: losses and metrics by hand-computed numbers, and that pieces add up."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from fedcore.spec.tasks import METRICS, TASK_METRICS, TaskName
from fedcore.tasks import IGNORED, TargetScale, Task, make_task, spread, task_classes

LOG2 = math.log(2)


def metrics(task: Task, outputs: Tensor, targets: Tensor) -> dict[str, float]:
    return task.summarise(task.tally(outputs, targets).sum(0))


def example(name: TaskName) -> tuple[Task, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(2)
    outputs = torch.randn(12, 3, generator=generator)
    if name is TaskName.NEXT_TOKEN:
        outputs = torch.randn(12, 4, 3, generator=generator)
        targets = torch.randint(0, 3, (12, 4), generator=generator)
        targets[::2, 2:] = IGNORED
    elif name is TaskName.CLASSIFICATION:
        targets = torch.randint(0, 3, (12,), generator=generator)
    elif name is TaskName.MULTI_LABEL:
        targets = torch.randint(0, 2, (12, 3), generator=generator).float()
    else:
        targets = torch.randn(12, 3, generator=generator)
    return make_task(name, 3), outputs, targets


def test_every_task_has_one_implementation() -> None:
    assert set(task_classes()) == set(TaskName) == set(TASK_METRICS)


@pytest.mark.parametrize("name", TaskName)
def test_a_task_reports_the_metrics_that_the_spec_knows(name: TaskName) -> None:
    task, outputs, targets = example(name)
    found = metrics(task, outputs, targets)
    assert set(found) == {metric.name for metric in TASK_METRICS[name]}
    assert "loss" in found
    for key, value in found.items():
        metric = METRICS[key]
        assert metric.lowest is None or value >= metric.lowest
        assert metric.highest is None or value <= metric.highest


@pytest.mark.parametrize("name", TaskName)
def test_metrics_do_not_depend_on_how_a_test_is_cut(name: TaskName) -> None:
    task, outputs, targets = example(name)
    whole = task.tally(outputs, targets)
    assert whole.shape[0] == len(targets)
    assert whole.dtype == torch.float64
    pieces = torch.cat(
        [task.tally(outputs[rows], targets[rows]) for rows in torch.arange(12).split(5)]
    )
    assert torch.allclose(whole, pieces)


@pytest.mark.parametrize("name", TaskName)
def test_the_reported_loss_is_the_one_of_training(name: TaskName) -> None:
    task, outputs, targets = example(name)
    assert metrics(task, outputs, targets)["loss"] == pytest.approx(
        float(task.loss(outputs, targets)), rel=1e-5
    )
    each = torch.stack(
        [task.loss(outputs[row : row + 1], targets[row : row + 1]) for row in range(12)]
    )
    assert torch.allclose(task.losses(outputs, targets), each, atol=1e-6)


def test_classification_by_hand() -> None:
    task = make_task(TaskName.CLASSIFICATION, 2)
    outputs = torch.tensor([[0.0, 0.0], [1.0, 3.0]])
    found = metrics(task, outputs, torch.tensor([1, 1]))
    assert found["loss"] == pytest.approx((LOG2 + math.log(1 + math.exp(-2))) / 2)
    assert found["accuracy"] == 0.5  # of equal logits the first counts


def test_regression_is_reported_in_the_units_of_the_data() -> None:
    task = make_task(TaskName.REGRESSION, 1, TargetScale((100.0,), (10.0,)))
    outputs, targets = torch.tensor([[1.0], [0.0], [2.0]]), torch.tensor([[0.0], [0.0], [3.0]])
    found = metrics(task, outputs, targets)
    assert found["loss"] == pytest.approx(2 / 3)
    assert found["mse"] == pytest.approx(200 / 3)
    assert found["mae"] == pytest.approx(20 / 3)
    assert found["r2"] == pytest.approx(1 - 2 / 6)


def test_several_targets_are_explained_each_by_itself() -> None:
    task = make_task(TaskName.REGRESSION, 2)
    generator = torch.Generator().manual_seed(0)
    targets = torch.randn(50, 2, generator=generator)
    outputs = targets * torch.tensor([1.0, 0.5])
    found = metrics(task, outputs, targets)
    values = targets[:, 1].double().numpy()
    second = 1 - (0.25 * values**2).sum() / ((values - values.mean()) ** 2).sum()
    assert found["r2"] == pytest.approx((1 + second) / 2)


def test_a_target_that_never_varies_is_right_or_wrong() -> None:
    task = make_task(TaskName.REGRESSION, 1)
    targets = torch.full((4, 1), 2.0)
    assert metrics(task, targets.clone(), targets)["r2"] == 1
    assert metrics(task, targets + 1, targets)["r2"] == 0


def test_labels_by_hand() -> None:
    task = make_task(TaskName.MULTI_LABEL, 2)
    outputs = torch.tensor([[1.0, -1.0], [1.0, 1.0], [-1.0, -1.0]])
    targets = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    found = metrics(task, outputs, targets)
    assert found["subset_accuracy"] == pytest.approx(1 / 3)
    assert found["micro_f1"] == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))
    nothing = metrics(task, -torch.ones(1, 2), torch.zeros(1, 2))
    assert nothing["micro_f1"] == 1


def test_tokens_count_alike_and_padding_does_not() -> None:
    task = make_task(TaskName.NEXT_TOKEN, 2)
    outputs = torch.zeros(2, 3, 2)
    outputs[0, 0] = torch.tensor([5.0, 0.0])
    targets = torch.tensor([[0, 1, 1], [1, IGNORED, IGNORED]])
    found = metrics(task, outputs, targets)
    right = math.log(1 + math.exp(-5))
    assert found["loss"] == pytest.approx((right + 3 * LOG2) / 4, rel=1e-5)
    assert found["perplexity"] == pytest.approx(math.exp(found["loss"]))
    assert found["accuracy"] == 0.25  # of equal logits the first counts
    assert float(task.loss(outputs, targets)) == pytest.approx(found["loss"], rel=1e-5)


def test_a_hopeless_model_has_a_finite_perplexity() -> None:
    task = make_task(TaskName.NEXT_TOKEN, 2)
    outputs = torch.tensor([[[0.0, 1e6]]])
    assert math.isfinite(metrics(task, outputs, torch.tensor([[0]]))["perplexity"])


def test_a_text_of_padding_alone_has_no_loss() -> None:
    task = make_task(TaskName.NEXT_TOKEN, 2)
    nothing = torch.full((1, 3), IGNORED)
    assert float(task.loss(torch.randn(1, 3, 2), nothing)) == 0


class TestSpread:
    def test_by_hand(self) -> None:
        found = spread([0.2, 0.4, 0.9], name="accuracy", higher_is_better=True)
        assert found["client_accuracy_mean"] == pytest.approx(0.5)
        assert found["client_accuracy_worst_tenth"] == pytest.approx(0.2)
        assert found["client_accuracy_std"] == pytest.approx(np.std([0.2, 0.4, 0.9]))
        assert found["client_accuracy_jain"] == pytest.approx(1.5**2 / (3 * 1.01))

    def test_the_worst_of_an_error_is_the_largest(self) -> None:
        found = spread([float(number) for number in range(20)], name="mse", higher_is_better=False)
        assert found["client_mse_worst_tenth"] == pytest.approx(18.5)

    def test_equal_clients_are_fair_and_a_single_winner_is_not(self) -> None:
        assert spread([0.3] * 5, name="a", higher_is_better=True)["client_a_jain"] == pytest.approx(
            1
        )
        lone = spread([1.0, 0, 0, 0], name="a", higher_is_better=True)
        assert lone["client_a_jain"] == pytest.approx(0.25)
        assert spread([0.0, 0.0], name="a", higher_is_better=True)["client_a_jain"] == 1

    def test_what_can_be_negative_has_no_index(self) -> None:
        assert "client_r2_jain" not in spread([-1.0, 1.0], name="r2", higher_is_better=True)
        assert spread([], name="a", higher_is_better=True) == {}

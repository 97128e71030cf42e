"""Recorded gradients are those of autograd to the last bit, or are not used."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from fedcore import products
from fedcore.algorithms.base import Method
from fedcore.clients.recording import (
    BATCHES_BEFORE_RECORDING,
    Recording,
    Recordings,
    UnrepeatableError,
)
from fedcore.engine import Engine
from fedcore.models.base import DataShape, TrainingTensors, build_model, initial_params
from fedcore.spec import RunSpec
from fedcore.spec.models import ModelSpec
from fedcore.spec.tasks import TaskName
from tests.fedcore.runs import small_spec, timeless

Gradient = Callable[..., tuple[Tensor, ...]]

IMAGES = DataShape((1, 8, 8), 10)
ROWS = DataShape((8,), 10)
TEXT = DataShape((12,), 30, TaskName.NEXT_TOKEN, 30)


def differentiated(loss: Callable[..., Tensor]) -> Gradient:
    def function(x: Tensor, y: Tensor, *weights: Tensor) -> tuple[Tensor, ...]:
        value = loss(x, y, *weights)
        return value.detach(), *torch.autograd.grad(value, weights)

    return function


def linear_loss(x: Tensor, y: Tensor, weight: Tensor) -> Tensor:
    return functional.cross_entropy(x @ weight, y)


def batch(shape: DataShape, seed: int, num: int = 5) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    if shape.num_tokens:
        x, y = torch.randint(shape.num_tokens, (2, num, *shape.input_shape), generator=generator)
        return x, y
    x = torch.randn((num, *shape.input_shape), generator=generator)
    return x, torch.randint(shape.num_classes, (num,), generator=generator)


def weights(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)).requires_grad_()


def is_same(ours: tuple[Tensor, ...], theirs: tuple[Tensor, ...]) -> bool:
    return all(map(torch.equal, ours, theirs))


@pytest.mark.parametrize(
    ("settings", "shape"),
    [
        pytest.param({"kind": "linear"}, IMAGES, id="linear"),
        pytest.param({"kind": "mlp", "hidden": [9, 7]}, IMAGES, id="mlp"),
        pytest.param({"kind": "resnet"}, IMAGES, id="resnet"),
        pytest.param({"kind": "vit"}, IMAGES, id="vit"),
        pytest.param({"kind": "tiny_gpt"}, TEXT, id="tiny_gpt"),
    ],
)
def test_models_are_played_to_the_last_bit(settings: dict[str, Any], shape: DataShape) -> None:
    model = build_model(ModelSpec.kinds()[settings["kind"]].model_validate(settings), shape)
    params = initial_params(model, torch.Generator().manual_seed(1))
    leaves = [view.requires_grad_() for view in params.layout.views(params.flat.detach()).values()]

    @differentiated
    def gradient(x: Tensor, y: Tensor, *given: Tensor) -> Tensor:
        outputs = model.apply(TrainingTensors(zip(params.layout.names, given, strict=True)), x)
        return functional.cross_entropy(outputs.reshape(-1, outputs.shape[-1]), y.reshape(-1))

    first = (*batch(shape, 1), *leaves)
    recording = Recording(gradient, first)
    play = recording.interpreted()
    assert play is not None
    with torch.no_grad():
        params.flat.mul_(0.7)  # the leaves are views of it
    other = (*batch(shape, 2), *leaves)
    expected = gradient(*other)
    assert is_same(recording.play(*other), expected)
    for _ in range(3):  # an interpreter that optimised would do so after the first time
        assert is_same(play(*other), expected)
        assert not any(tensor.requires_grad for tensor in play(*other))


@pytest.mark.parametrize(
    "loss",
    [
        pytest.param(lambda x, y, w: linear_loss(functional.dropout(x), y, w), id="random"),
        pytest.param(lambda x, y, w: linear_loss(x, y, w) * x.max().item(), id="value"),
        pytest.param(lambda x, y, w: (x[y > 3] @ w).sum(), id="number of rows"),
    ],
)
def test_what_depends_on_more_than_shapes_is_refused(loss: Callable[..., Tensor]) -> None:
    with pytest.raises(UnrepeatableError):
        Recording(differentiated(loss), (*batch(ROWS, 1), weights(8, 10)))


def test_a_step_is_recorded_when_it_has_come_often_and_then_calls_no_function() -> None:
    calls = 0

    def counted(*inputs: Tensor) -> tuple[Tensor, ...]:
        nonlocal calls
        calls += 1
        return differentiated(linear_loss)(*inputs)

    recordings = Recordings()
    for seed in range(BATCHES_BEFORE_RECORDING + 10):
        inputs = (*batch(ROWS, seed), weights(8, 10))
        ours = recordings.gradients("shape", counted, inputs)
        assert is_same(ours, differentiated(linear_loss)(*inputs))
    # So many batches, one that is recorded, and one to compare with.
    assert calls == BATCHES_BEFORE_RECORDING + 2


def fails(*_: Any, **__: Any) -> None:
    raise RuntimeError("not supported")


def other_numbers(*_: Any, **__: Any) -> Gradient:
    return lambda x, y, weight: (x.sum(), weight.detach())  # noqa: ARG005


PRIVATE = [
    "Graph",
    "TupleType",
    "_create_function_from_graph",
    "_get_graph_executor_optimize",
    "_set_graph_executor_optimize",
]


def times_played_by_python(monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how many of ten steps after recording and proof Python plays; all are right."""
    played = 0
    plainly = Recording.play

    def counted(recording: Recording, *inputs: Tensor) -> tuple[Tensor, ...]:
        nonlocal played
        played += 1
        return plainly(recording, *inputs)

    monkeypatch.setattr(Recording, "play", counted)
    recordings = Recordings()
    for seed in range(BATCHES_BEFORE_RECORDING + 10):
        inputs = (*batch(ROWS, seed), weights(8, 10))
        ours = recordings.gradients("shape", differentiated(linear_loss), inputs)
        assert is_same(ours, differentiated(linear_loss)(*inputs))
    return played


def test_the_interpreter_plays_without_python(monkeypatch: pytest.MonkeyPatch) -> None:
    assert times_played_by_python(monkeypatch) == 0


@pytest.mark.parametrize("name", PRIVATE)
def test_without_private_names_of_torch_python_plays(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(torch._C, name)  # noqa: SLF001
    assert times_played_by_python(monkeypatch) == 10


@pytest.mark.parametrize("made", [fails, other_numbers])
def test_what_the_interpreter_cannot_play_alike_is_played_without_it(
    made: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch._C, "_create_function_from_graph", made)  # noqa: SLF001
    assert times_played_by_python(monkeypatch) == 10


CONSTANT = torch.linspace(0, 1, 8)


def by_onednn(x: Tensor, y: Tensor, weight: Tensor) -> Tensor:
    if not torch.backends.mkldnn.is_available():
        pytest.skip("this torch has no oneDNN")
    product = products._Linear.apply(x, weight.t(), None)  # type: ignore[no-untyped-call]  # noqa: SLF001
    return functional.cross_entropy(product, y)


def of_parts(x: Tensor, y: Tensor, weight: Tensor) -> Tensor:
    return linear_loss(torch.cat([part * 2 for part in x.split(2)]), y, weight)


def signed(x: Tensor, y: Tensor, weight: Tensor) -> Tensor:
    return linear_loss(torch.copysign(x, -0.0) + 2 * torch.copysign(x, 0.0), y, weight)


def copied(x: Tensor, y: Tensor, weight: Tensor) -> Tensor:
    copy = (x @ weight).t().clone(memory_format=torch.contiguous_format)
    return copy.std(unbiased=False) * y.sum().to(torch.float64)


def normed(x: Tensor, y: Tensor, weight: Tensor) -> Tensor:
    return functional.cross_entropy(functional.layer_norm(x @ weight, (10,)), y)


@pytest.mark.parametrize(
    "loss",
    [
        pytest.param(by_onednn, id="empty list of optional numbers"),
        pytest.param(lambda x, y, w: linear_loss(x * 0.3 + 2, y, w), id="numbers for tensors"),
        pytest.param(signed, id="zeros with signs"),
        pytest.param(of_parts, id="lists of tensors, given and returned"),
        pytest.param(lambda x, y, w: linear_loss(x.double(), y, w.double()), id="dtypes"),
        pytest.param(copied, id="formats of memory"),
        pytest.param(lambda x, y, w: linear_loss(x + CONSTANT, y, w), id="constant tensors"),
        pytest.param(normed, id="list of booleans"),
    ],
)
def test_arguments_of_any_type_are_told_to_the_interpreter(loss: Callable[..., Tensor]) -> None:
    function = differentiated(loss)
    play = Recording(function, (*batch(ROWS, 1), weights(8, 10))).interpreted()
    assert play is not None
    other = (*batch(ROWS, 2), weights(8, 10))
    expected = function(*other)
    for _ in range(2):
        assert is_same(play(*other), expected)


def test_a_recording_that_computes_something_else_is_never_used() -> None:
    steps = iter(range(1_000_000))

    @differentiated
    def drifting(x: Tensor, y: Tensor, weight: Tensor) -> Tensor:
        return linear_loss(x, y, weight) * (1.0 + next(steps))

    recordings = Recordings()
    inputs = (torch.ones(2, 3), torch.tensor([0, 1]), weights(3, 4))
    plain = linear_loss(*inputs).item()
    for step in range(BATCHES_BEFORE_RECORDING):
        loss = float(recordings.gradients("shape", drifting, inputs)[0])
        assert loss == pytest.approx(plain * (1 + step))
    after = [float(recordings.gradients("shape", drifting, inputs)[0]) for _ in range(5)]
    assert after == sorted(after)
    assert len(set(after)) == 5


def reports_of(spec: RunSpec, cache_dir: Path) -> list[Any]:
    engine = Engine.create(spec, cache_dir=cache_dir)
    reports = []
    while not engine.is_finished:
        reports.append(timeless(engine.run_round()))
    engine.close()
    return reports


@pytest.mark.parametrize("algorithm", ["fedavg", "fedprox", "scaffold", "fedrep"])
def test_runs_are_the_same_with_and_without(
    algorithm: str, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = small_spec(
        algorithm={"kind": algorithm},
        local={"epochs": 3, "batch_size": 5, "lr": 0.05, "weight_decay": 0.01},
        runtime={"executor": "sequential", "kernels": "autograd"},
    )
    recorded = reports_of(spec, cache_dir)
    monkeypatch.setattr(Method, "recordings", None)
    assert reports_of(spec, cache_dir) == recorded

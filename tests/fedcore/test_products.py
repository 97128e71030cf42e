"""Large products by oneDNN are the products that torch computes, with their derivatives."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from fedcore import products
from fedcore.engine import Engine
from fedcore.products import linear, wide_products
from fedcore.spec import RunSpec
from tests.fedcore.runs import timeless

ROWS, INPUTS, OUTPUTS = 32, 500, 200


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rows of each product that oneDNN is asked for, on any processor, whether it gains or not."""
    if not torch.backends.mkldnn.is_available():
        pytest.skip("this torch has no oneDNN")
    monkeypatch.setattr(products, "is_offered", lambda: True)
    rows: list[int] = []
    product = products._product  # noqa: SLF001

    def counted(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        rows.append(x.numel() // weight.shape[1])
        return product(x, weight, bias)

    monkeypatch.setattr(products, "_product", counted)
    return rows


def leaves(rows: int = ROWS, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    x, weight, bias = (
        torch.randn(shape, generator=generator).to(dtype).requires_grad_()
        for shape in ((rows, INPUTS), (OUTPUTS, INPUTS), (OUTPUTS,))
    )
    return x, weight, bias


@pytest.mark.parametrize("has_bias", [True, False])
@pytest.mark.parametrize("shape", [(ROWS, INPUTS), (4, 8, INPUTS)])
def test_values_and_derivatives_are_those_of_double_precision(
    shape: tuple[int, ...], asked: list[int], *, has_bias: bool
) -> None:
    def found(dtype: torch.dtype) -> list[Tensor]:
        x, weight, bias = leaves(dtype=dtype)
        inputs = (x, weight, bias) if has_bias else (x, weight)
        out = linear(x.view(shape), *inputs[1:])
        return [out, *torch.autograd.grad((out.sin() * 3).sum(), inputs)]

    exact = found(torch.float64)
    assert asked == []
    ours = found(torch.float32)
    assert len(asked) == 3
    for mine, theirs in zip(ours, exact, strict=True):
        torch.testing.assert_close(mine.double(), theirs, rtol=1e-4, atol=1e-3)


def test_second_derivatives_are_those_of_double_precision() -> None:
    def found(dtype: torch.dtype) -> tuple[Tensor, ...]:
        x, weight, bias = leaves(dtype=dtype)
        loss = linear(x, weight, bias).tanh().square().mean()
        grads = torch.autograd.grad(loss, (weight, bias), create_graph=True)
        return torch.autograd.grad(
            torch.cat([grad.flatten() for grad in grads]).norm(), (x, weight, bias)
        )

    for mine, theirs in zip(found(torch.float32), found(torch.float64), strict=True):
        torch.testing.assert_close(mine.double(), theirs, rtol=1e-3, atol=1e-5)


def test_the_number_of_threads_changes_no_bit() -> None:
    x, weight, bias = leaves(1000)
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            out = linear(x, weight, bias)
            found.append([out, *torch.autograd.grad(out.sin().sum(), (x, weight, bias))])
    finally:
        torch.set_num_threads(before)
    assert all(all(map(torch.equal, found[0], other)) for other in found[1:])


def test_what_gains_nothing_or_cannot_be_asked_for_is_left_to_torch(asked: list[int]) -> None:
    x, weight, bias = leaves()
    few = x[: products.MIN_ROWS - 1]
    long = torch.zeros(ROWS, products.MAX_INNER + 1)
    assert torch.equal(linear(few, weight, bias), functional.linear(few, weight, bias))
    assert torch.equal(linear(x[:, :9], weight[:, :9]), functional.linear(x[:, :9], weight[:, :9]))
    assert linear(long, torch.zeros(OUTPUTS, long.shape[1])).shape == (ROWS, OUTPUTS)
    assert linear(x[0], weight, bias).shape == (OUTPUTS,)
    with torch.autocast("cpu", torch.bfloat16):
        assert linear(x, weight, bias).dtype == torch.bfloat16
    each = torch.func.vmap(linear, in_dims=(0, None, None))(x.view(2, 16, INPUTS), weight, bias)
    assert each.shape == (2, 16, OUTPUTS)
    assert asked == []


def test_dense_layers_of_any_model_are_taken_over_in_the_context_alone(asked: list[int]) -> None:
    model = nn.Sequential(nn.Linear(INPUTS, OUTPUTS), nn.ReLU(), nn.Linear(OUTPUTS, 2))
    x = leaves()[0].detach()
    plain = model(x)
    assert asked == []
    with wide_products():
        torch.testing.assert_close(model(x), plain, rtol=1e-4, atol=1e-5)
    assert asked == [ROWS]
    model(x)
    assert asked == [ROWS]


def reports_of(executor: str, cache_dir: Path) -> list[dict[str, Any]]:
    spec = RunSpec.parse(
        {
            "rounds": 2,
            "dataset": {"kind": "digits"},
            "partition": {"kind": "iid", "clients": 4},
            "model": {"kind": "mlp", "hidden": [1024, 64]},
            "local": {"epochs": 1, "batch_size": 50},
            "runtime": {"executor": executor, "processes": 2, "kernels": "autograd"},
        }
    )
    engine = Engine.create(spec, cache_dir=cache_dir)
    reports = [timeless(engine.run_round()) | {"executor": None} for _ in range(2)]
    engine.close()
    return reports


def test_a_run_uses_them_and_is_the_same_in_processes_with_one_thread(
    asked: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sequential = reports_of("sequential", tmp_path)
    assert {50, 360} <= set(asked)
    monkeypatch.undo()  # processes decide for themselves
    if not products.is_offered():
        pytest.skip("MKL uses the widest registers of this processor")
    assert reports_of("pool", tmp_path) == sequential

"""Named tensors over one vector."""

import math

import pytest
import torch

from fedcore.params import Layout, Params, add, is_finite, subtract, zeros_like

NAMED = {
    "a.weight": torch.arange(6.0).view(2, 3),
    "a.bias": torch.tensor([7.0, 8.0]),
    "scale": torch.tensor(9.0),
}


def test_tensors_are_views_of_the_vector_in_order() -> None:
    params = Params.of(NAMED)
    assert list(params) == list(NAMED)
    assert params.flat.tolist() == [0, 1, 2, 3, 4, 5, 7, 8, 9]
    params["a.bias"].fill_(0)
    assert params.flat.tolist() == [0, 1, 2, 3, 4, 5, 0, 0, 9]
    views = params.layout.views(params.flat)
    for name, tensor in params.items():
        assert torch.equal(views[name], tensor)
        assert views[name].data_ptr() == tensor.data_ptr()


def test_a_copy_has_its_own_memory() -> None:
    source = {"w": torch.ones(2)}
    params = Params.of(source)
    clone = params.clone()
    params.flat.zero_()
    assert source["w"].tolist() == [1, 1]
    assert clone.flat.tolist() == [1, 1]


def test_views_keep_leading_axes() -> None:
    layout = Layout.of(NAMED)
    stacked = torch.stack([Params.of(NAMED).flat, torch.zeros(9)])
    views = layout.views(stacked)
    assert views["a.weight"].shape == (2, 2, 3)
    assert torch.equal(views["a.weight"][0], NAMED["a.weight"])
    assert layout.view(stacked, "scale").tolist() == [9, 0]


def test_gradients_flow_through_views() -> None:
    flat = Params.of(NAMED).flat.clone().requires_grad_()
    views = Layout.of(NAMED).views(flat)
    (views["a.bias"].sum() * 3 + views["scale"]).backward()
    assert flat.grad is not None
    assert flat.grad.tolist() == [0, 0, 0, 0, 0, 0, 3, 3, 1]


def test_arithmetic() -> None:
    params = Params.of(NAMED)
    doubled = add(params, params)
    assert torch.equal(doubled.flat, params.flat * 2)
    assert torch.equal(add(params, params, scale=-0.5).flat, params.flat / 2)
    assert torch.equal(subtract(doubled, params).flat, params.flat)
    assert zeros_like(params).flat.tolist() == [0] * 9


def test_a_vector_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="9 numbers"):
        Params(Layout.of(NAMED), torch.zeros(8))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, 2.0], True),
        ([1.0, math.nan], False),
        ([math.inf, 1.0], False),
        ([math.inf, -math.inf], False),
        ([3e38, 3e38], True),  # finite numbers whose sum is not
        ([], True),
    ],
)
def test_finite_means_every_single_number(values: list[float], expected: bool) -> None:  # noqa: FBT001
    assert is_finite([torch.tensor(values)]) is expected
    assert is_finite([torch.zeros(3), torch.tensor(values)]) is expected


def test_whole_numbers_are_finite() -> None:
    assert is_finite([torch.tensor([1, 2]), torch.tensor([True])])

"""Value codecs: error bounds, exact codes, unbiased means."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from fedcore.compression import CodecContext
from fedcore.errors import CodecError, WireError
from fedcore.params import Params
from tests.fedcore.codecs import CONTEXT, chain, sample, seen, vector

NUM_DRAWS = 5000
PATTERN = (0.5, -0.2, 0.01, 0.0, -1.0, 0.3, 0.7, -0.05)


@pytest.mark.parametrize(
    "link",
    [
        {"kind": "qsgd", "levels": 3, "bucket": 8},
        {"kind": "qsgd", "levels": 1, "bucket": 4},
        {"kind": "ternary", "clip_std": None},
        {"kind": "quantize", "bits": 3, "rounding": "stochastic"},
        {"kind": "randk", "ratio": 0.25},
    ],
)
def test_unbiased_codecs_are_right_on_average(link: dict[str, Any]) -> None:
    # One pattern many times over: each copy is a draw of its own.
    draws = seen(chain(link), vector(*PATTERN * NUM_DRAWS)).flat.view(NUM_DRAWS, -1).double()
    error = draws.std(0) / math.sqrt(NUM_DRAWS)
    assert bool(((draws.mean(0) - torch.tensor(PATTERN)).abs() <= 4 * error + 1e-6).all())


@pytest.mark.parametrize("levels", [1, 4, 15])
def test_the_error_of_qsgd_is_bounded_as_in_the_paper(levels: int) -> None:
    params = Params.of({"x": torch.randn(64, generator=torch.Generator().manual_seed(1))})
    codec = chain({"kind": "qsgd", "levels": levels, "bucket": None})
    errors = [
        float((seen(codec, params, CodecContext(0, index, 1)).flat - params.flat).square().sum())
        for index in range(300)
    ]
    bound = min(64 / levels**2, 8 / levels) * float(params.flat.square().sum())
    assert sum(errors) / len(errors) <= bound


@pytest.mark.parametrize("bits", range(2, 17))
def test_absmax_errs_by_half_a_step_at_most(bits: int) -> None:
    params = sample()
    result = seen(chain({"kind": "quantize", "bits": bits}), params)
    for name, values in params.items():
        if values.numel():
            step = float(values.abs().max()) / (2 ** (bits - 1) - 1)
            assert float((result[name] - values).abs().max()) <= step * 0.5000001


@pytest.mark.parametrize("bits", [4, 8, 16])
def test_adaptive_errs_by_half_a_step_away_from_the_ends(bits: int) -> None:
    params = sample()
    result = seen(chain({"kind": "quantize", "bits": bits, "mode": "adaptive"}), params)
    values = params["weight"]
    step = float(values.max() - values.min()) / (2**bits - 1)
    errors = (result["weight"] - values).abs()
    inside = (values - values.min() > step) & (values.max() - values > step)
    assert float(errors[inside].max()) <= step * 0.501
    assert float(errors.max()) <= step * 1.001


def test_adaptive_keeps_a_constant_tensor_exactly() -> None:
    params = vector(*[0.1] * 7)
    assert torch.equal(
        seen(chain({"kind": "quantize", "mode": "adaptive"}), params).flat, params.flat
    )


def test_fixed_rounds_half_to_even_and_clamps() -> None:
    codec = chain({"kind": "quantize", "mode": "fixed"})
    params = vector(0.0499, -0.0499, 0.05, 0.15, 0.25, -0.25, 100.0, -100.0)
    expected = [0.0, 0.0, 0.0, 0.2, 0.2, -0.2, 12.7, -12.8]
    assert seen(codec, params).flat.tolist() == pytest.approx(expected)


def test_fixed_loses_an_update_of_small_steps() -> None:
    result = seen(chain({"kind": "quantize", "mode": "fixed"}), sample(scale=0.01))
    assert not bool(result.flat.any())


def test_eight_bits_are_a_quarter_and_sixteen_a_half() -> None:
    params = Params.of({"x": torch.randn(1000)})
    for bits, share in ((8, 0.25), (16, 0.5)):
        size = chain({"kind": "quantize", "bits": bits}).num_bytes(params.layout, 0)
        assert size == share * 4000 + 4


@pytest.mark.parametrize("mode", ["absmax", "fixed"])
def test_what_was_quantised_once_stays_as_it_is(mode: str) -> None:
    codec = chain({"kind": "quantize", "mode": mode, "step": 0.01})
    once = seen(codec, sample(scale=0.1))
    torch.testing.assert_close(seen(codec, once).flat, once.flat, rtol=1e-6, atol=0)


def test_signs_are_of_the_mean_size_and_zero_is_positive() -> None:
    result = seen(chain({"kind": "sign"}), vector(3.0, -1.0, 0.0, -2.0))
    assert result.flat.tolist() == [1.5, -1.5, 1.5, -1.5]


def test_signs_without_memory_walk_uphill_and_with_memory_downhill() -> None:
    # Karimireddy et al. 2019, section 3.1: gradients 4, -1, -1 have mean 2/3 but mean sign -1/3.
    step = 0.01
    gradients = [4.0, -1.0, -1.0] * 200
    codec, plain, memory, corrected = chain({"kind": "sign"}), 0.0, 0.0, 0.0
    for gradient in gradients:
        plain += float(torch.sign(torch.tensor(-step * gradient))) * step
        wanted = memory - step * gradient
        sent = float(seen(codec, vector(wanted)).flat)
        memory, corrected = wanted - sent, corrected + sent
    assert plain > 0
    assert corrected == pytest.approx(-step * sum(gradients), abs=0.1)


def test_trits_are_minus_c_zero_or_c_after_clipping() -> None:
    params = vector(*[0.1] * 99, 100.0)
    result = seen(chain({"kind": "ternary"}), params)
    limit = 2.5 * math.sqrt(float(params.flat.square().mean()))
    sizes = result.flat.abs()
    assert bool(((sizes == 0) | ((sizes - limit).abs() < 1e-5)).all())
    assert float(result.flat[-1]) == pytest.approx(limit)


def test_the_largest_trit_always_travels() -> None:
    codec = chain({"kind": "ternary", "clip_std": None})
    for index in range(50):
        assert float(seen(codec, vector(0.0, -3.0), CodecContext(0, index, 1)).flat[1]) == -3.0


def test_a_cast_that_overflows_is_refused_with_a_way_out() -> None:
    with pytest.raises(CodecError, match="does not fit") as caught:
        chain({"kind": "cast"}).encode(vector(1e5), CONTEXT)
    assert "bfloat16" in str(caught.value.fix)
    assert seen(chain({"kind": "cast", "dtype": "bfloat16"}), vector(1e30)).flat.item() > 0


def test_a_level_above_the_highest_is_refused() -> None:
    codec, params = chain({"kind": "qsgd", "levels": 4}), vector(1.0, 2.0)
    data = codec.encode(params, CONTEXT).data
    data[-1] = 0x77
    with pytest.raises(WireError, match="level"):
        codec.decode(data, params.layout, CONTEXT.round_index)

"""Sparse codecs: which entries travel, what their places cost, and damaged places."""

from __future__ import annotations

import pytest
import torch

from fedcore.compression import CodecContext
from fedcore.compression.support import largest
from fedcore.errors import WireError
from fedcore.params import Params
from fedcore.spec.compression import DgcSpec, chain_bytes, index_format, share_of
from tests.fedcore.codecs import CONTEXT, chain, sample, seen, vector


def test_topk_keeps_the_largest_entries_with_their_signs() -> None:
    result = seen(chain({"kind": "topk", "ratio": 0.4}), vector(0.1, -5.0, 2.0, 0.3, -0.2))
    assert result.flat.tolist() == [0.0, -5.0, 2.0, 0.0, 0.0]


def test_the_error_of_topk_is_the_energy_of_what_it_drops() -> None:
    params = sample()
    result = seen(chain({"kind": "topk", "ratio": 0.1}), params)
    dropped = params.flat[result.flat == 0]
    error = (result.flat - params.flat).square().sum()
    assert torch.equal(error, dropped.square().sum() + 0 * error) or error == pytest.approx(
        float(dropped.square().sum()), rel=1e-6
    )


def test_topk_contracts_and_beats_random_entries() -> None:
    params = Params.of({"x": torch.randn(50, 40, generator=torch.Generator().manual_seed(2))})
    norm = float(params.flat.square().sum())
    errors = {
        kind: float((seen(chain(link), params).flat - params.flat).square().sum())
        for kind, link in {
            "topk": {"kind": "topk", "ratio": 0.1},
            "randk": {"kind": "randk", "ratio": 0.1, "error_feedback": True},
        }.items()
    }
    assert errors["topk"] <= (1 - 0.1) * norm
    assert errors["topk"] < errors["randk"]


def test_among_equals_the_first_are_taken() -> None:
    assert largest(torch.tensor([1.0, -2.0, 2.0, 1.0, -1.0]), 3).tolist() == [0, 1, 2]
    assert largest(torch.zeros(9), 4).tolist() == [0, 1, 2, 3]


def test_a_model_wide_choice_may_leave_a_tensor_out() -> None:
    params = Params.of({"small": torch.full((8,), 0.1), "large": torch.full((8,), 5.0)})
    result = seen(chain({"kind": "topk", "ratio": 0.5, "scope": "model"}), params)
    assert not bool(result["small"].any())
    assert torch.equal(result["large"], params["large"])


@pytest.mark.parametrize(
    ("size", "kept", "form", "places"),
    [
        (1000, 1000, "dense", 0),
        (1000, 62, "indices", 124),
        (1000, 63, "bitmap", 125),
        (65_536, 10, "indices", 20),
        (65_537, 10, "indices", 40),
        (65_537, 2049, "bitmap", 8193),
        (65_537, 2048, "indices", 8192),
    ],
)
def test_places_are_written_the_shortest_way(size: int, kept: int, form: str, places: int) -> None:
    ratio = kept / size
    assert share_of(size, ratio) == kept
    assert index_format(size, kept) == form
    codec = chain({"kind": "topk", "ratio": ratio})
    params = Params.of({"x": torch.randn(size, generator=torch.Generator().manual_seed(size))})
    assert codec.encode(params, CONTEXT).data.numel() == 4 * kept + places
    result = seen(codec, params)
    assert int((result.flat != 0).sum()) == kept
    assert float((result.flat - params.flat).abs().max()) <= float(
        result.flat[result.flat != 0].abs().min()
    )


def test_every_tensor_sends_at_least_one_entry() -> None:
    result = seen(chain({"kind": "topk", "ratio": 0.001}), sample())
    assert [int((result[name] != 0).sum()) for name in ("weight", "bias", "scalar")] == [1, 1, 1]


def test_quantising_after_topk_spends_few_bits_on_few_entries() -> None:
    params = sample()
    codec = chain({"kind": "topk", "ratio": 0.1}, {"kind": "quantize", "bits": 4})
    # 41 + 4 + 1 entries of 407 + 37 + 1: places 51 + 5 + 0 bytes, codes 21 + 2 + 1, three scales.
    assert codec.num_bytes(params.layout, 0) == 51 + 5 + 0 + 21 + 2 + 1 + 3 * 4
    sparse = seen(chain({"kind": "topk", "ratio": 0.1}), params)
    both = seen(codec, params)
    assert (
        float((both.flat - sparse.flat).abs().max()) <= float(params.flat.abs().max()) / 14 + 1e-7
    )
    assert not bool(both.flat[sparse.flat == 0].any())


def test_random_places_cost_one_seed_and_follow_from_it() -> None:
    params = sample()
    codec = chain({"kind": "randk", "ratio": 0.1})
    assert codec.num_bytes(params.layout, 0) == 8 + 4 * (41 + 4 + 1)
    one, two = (
        seen(codec, params, CodecContext(5, 3, client_id)).flat != 0 for client_id in (1, 2)
    )
    assert torch.equal(one, two)
    own = chain({"kind": "randk", "ratio": 0.1, "shared": False})
    one, two = (seen(own, params, CodecContext(5, 3, client_id)).flat != 0 for client_id in (1, 2))
    assert not torch.equal(one, two)


def test_random_entries_are_scaled_up_unless_the_rest_is_remembered() -> None:
    params = vector(*[1.0] * 10)
    scaled = seen(chain({"kind": "randk", "ratio": 0.2}), params).flat
    plain = seen(chain({"kind": "randk", "ratio": 0.2, "error_feedback": True}), params).flat
    assert sorted(scaled.tolist())[-2:] == [5.0, 5.0]
    assert sorted(plain.tolist())[-2:] == [1.0, 1.0]


@pytest.mark.parametrize("places", [[3, 3], [5, 2], [0, 900]])
def test_places_out_of_order_or_range_are_refused(places: list[int]) -> None:
    codec, params = chain({"kind": "topk", "ratio": 0.002}), Params.of({"x": torch.randn(800)})
    data = codec.encode(params, CONTEXT).data
    assert data.numel() == 2 * (4 + 2)
    data[:4] = (torch.tensor(places) - (1 << 15)).to(torch.int16).view(torch.uint8)
    with pytest.raises(WireError, match="places"):
        codec.decode(data, params.layout, CONTEXT.round_index)


def test_a_bitmap_with_another_number_of_ones_is_refused() -> None:
    codec, params = chain({"kind": "topk", "ratio": 0.5}), vector(*range(16))
    data = codec.encode(params, CONTEXT).data
    data[0] ^= 1
    with pytest.raises(WireError, match="places"):
        codec.decode(data, params.layout, CONTEXT.round_index)


def test_the_share_of_dgc_falls_as_in_the_paper() -> None:
    spec = DgcSpec(ratio=0.001, warmup_rounds=4)
    sparsity = [100 * (1 - spec.ratio_in(index)) for index in range(6)]
    assert sparsity == pytest.approx([74.88, 93.69, 98.42, 99.60, 99.9, 99.9], abs=0.01)
    shapes = [(1000, 100), (100,)]
    sizes = [chain_bytes([spec], shapes, index) for index in range(6)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[4] == sizes[5] == 100 * 8 + 400


def test_dgc_sends_vectors_whole() -> None:
    params = sample()
    result = seen(chain({"kind": "dgc", "ratio": 0.01, "warmup_rounds": 0}), params)
    assert torch.equal(result["bias"], params["bias"])
    assert int((result["weight"] != 0).sum()) == 5

"""Every chain: exact bytes on the wire, shapes, non-finite values, damage, determinism."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fedcore.compression import Chain, CodecContext
from fedcore.compression.base import SUPPORT_CODECS, VALUE_CODECS
from fedcore.errors import CodecError, WireError
from fedcore.messages import Update
from fedcore.params import Params
from fedcore.spec.compression import CodecSpec, chain_bytes
from fedcore.wire import decode_update, encode, encoded_size, schema_of
from tests.fedcore.codecs import CONTEXT, chain, sample, seen

VALUE_LINKS: list[dict[str, Any]] = [
    {"kind": "cast"},
    {"kind": "cast", "dtype": "bfloat16"},
    {"kind": "quantize"},
    {"kind": "quantize", "bits": 3, "mode": "adaptive"},
    {"kind": "quantize", "bits": 16, "mode": "fixed", "step": 1e-5},
    {"kind": "quantize", "bits": 5, "rounding": "stochastic"},
    {"kind": "qsgd", "levels": 4},
    {"kind": "qsgd", "bucket": None},
    {"kind": "sign"},
    {"kind": "ternary"},
]
SUPPORT_LINKS: list[dict[str, Any]] = [
    {"kind": "topk", "ratio": 0.1},
    {"kind": "topk", "ratio": 0.02, "scope": "model"},
    {"kind": "randk", "ratio": 0.3},
    {"kind": "randk", "ratio": 0.3, "error_feedback": True, "shared": False},
    {"kind": "dgc", "ratio": 0.05},
]
CHAINS = [
    *([link] for link in (*VALUE_LINKS, *SUPPORT_LINKS)),
    *([support, value] for support in SUPPORT_LINKS for value in VALUE_LINKS),
]


def name_of(links: list[dict[str, Any]]) -> str:
    return "+".join("-".join(str(value) for value in link.values()) for link in links)


every_chain = pytest.mark.parametrize("links", CHAINS, ids=name_of)


def test_every_codec_spec_has_exactly_one_implementation() -> None:
    implemented = [*VALUE_CODECS.implementations, *SUPPORT_CODECS.implementations]
    assert sorted(spec.__name__ for spec in implemented) == sorted(
        spec.__name__ for spec in CodecSpec.kinds().values()
    )


@every_chain
def test_the_formula_gives_the_bytes_that_the_wire_carries(links: list[dict[str, Any]]) -> None:
    codec, params = chain(*links), sample()
    data = codec.encode(params, CONTEXT).data
    assert data.dtype == torch.uint8
    assert data.numel() == chain_bytes(codec.links, params.layout.shapes, CONTEXT.round_index)
    update = Update(sections={"model": {"packed": data}}, base_version=0, client_id=1, weight=1.0)
    payload = encode(update)
    assert len(payload) == encoded_size(schema_of(update))
    received = decode_update(payload, schema_of(update), max_bytes=10**6)
    assert torch.equal(received.sections["model"]["packed"], data)


@every_chain
def test_names_shapes_and_type_come_back(links: list[dict[str, Any]]) -> None:
    params = sample()
    result = seen(chain(*links), params)
    assert result.layout == params.layout
    assert result.flat.dtype == torch.float32
    assert bool(torch.isfinite(result.flat).all())


@every_chain
def test_the_same_message_twice_is_the_same_bytes(links: list[dict[str, Any]]) -> None:
    codec, params = chain(*links), sample()
    first, second = (codec.encode(params, CONTEXT).data for _ in range(2))
    assert torch.equal(first, second)


@every_chain
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_not_finite_is_refused(links: list[dict[str, Any]], bad: float) -> None:
    params = sample()
    params["bias"][3] = bad
    with pytest.raises(CodecError, match="not finite"):
        chain(*links).encode(params, CONTEXT)


@every_chain
def test_zeros_come_back_as_zeros(links: list[dict[str, Any]]) -> None:
    params = sample(scale=0.0)
    assert not bool(seen(chain(*links), params).flat.any())


@every_chain
def test_a_model_of_nothing_is_a_message_of_nothing(links: list[dict[str, Any]]) -> None:
    params = Params.of({"empty": torch.empty(3, 0)})
    codec = chain(*links)
    assert codec.num_bytes(params.layout, 3) == sum(link.message_bytes for link in codec.links)
    assert seen(codec, params).flat.numel() == 0


@every_chain
def test_one_byte_too_few_or_too_many_is_refused(links: list[dict[str, Any]]) -> None:
    codec, params = chain(*links), sample()
    data = codec.encode(params, CONTEXT).data
    longer = torch.cat([data, data.new_zeros(1)])
    for damaged in (data[:-1], longer):
        with pytest.raises(WireError):
            codec.decode(damaged, params.layout, CONTEXT.round_index)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), links=st.sampled_from(CHAINS))
def test_no_bytes_crash_the_decoder(data: st.DataObject, links: list[dict[str, Any]]) -> None:
    codec, layout = chain(*links), sample().layout
    size = codec.num_bytes(layout, 3)
    seed = data.draw(st.integers(0, 2**31))
    noise = torch.randint(256, (size,), generator=torch.Generator().manual_seed(seed))
    try:
        result = codec.decode(noise.to(torch.uint8), layout, 3)
    except WireError:
        return
    assert result.flat.shape == (layout.total,)


@pytest.mark.parametrize(
    "links",
    [[], [{"kind": "cast", "dtype": "float32"}], [{"kind": "topk", "ratio": 1.0}]],
    ids=name_of,
)
def test_lossless_settings_change_no_bit(links: list[dict[str, Any]]) -> None:
    params = sample()
    params["weight"][0, :4] = torch.tensor([-0.0, 1e-45, 3.4e38, -1e-38])
    result = seen(chain(*links), params)
    assert torch.equal(result.flat.view(torch.int32), params.flat.view(torch.int32))
    assert chain(*links).num_bytes(params.layout, 3) == 4 * params.layout.total


def test_clients_and_rounds_draw_different_numbers() -> None:
    codec, params = chain({"kind": "qsgd"}), sample()
    contexts = [CodecContext(5, 3, 2), CodecContext(5, 3, 1), CodecContext(5, 4, 2)]
    one, two, three = (codec.encode(params, context).data for context in contexts)
    assert not torch.equal(one, two)
    assert not torch.equal(one, three)


@every_chain
def test_a_chain_is_equal_to_another_of_the_same_links(links: list[dict[str, Any]]) -> None:
    assert chain(*links) == chain(*links)
    assert isinstance(chain(*links), Chain)

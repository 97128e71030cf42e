"""Messages as bytes: what goes in comes out, sizes are known before, hostile bytes are refused."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as save_safetensors

from fedcore.errors import WireError
from fedcore.messages import Message, Update
from fedcore.params import Params
from fedcore.wire import decode_message, decode_update, encode, encoded_size, schema_of
from fedcore.wire.container import DTYPES, header_bytes, info_of, read, tensor_bytes

LIMIT = 1 << 20


def an_update(**changes: Any) -> Update:
    delta = Params.of({"w": torch.arange(6.0).view(2, 3), "b": torch.tensor([0.5, -0.5])})
    update = Update(
        sections={
            "delta": delta,
            "codes": {"bits": torch.tensor([1, 2, 255], dtype=torch.uint8)},
            "nothing": {},
        },
        scalars={"loss": 0.1, "scale": 2.0},
        base_version=7,
        client_id=3,
        weight=600.0,
    )
    return replace(update, **changes)


def decode(payload: bytes, like: Update | None = None) -> Update:
    return decode_update(payload, schema_of(like or an_update()), max_bytes=LIMIT)


def test_an_update_comes_back_as_it_was() -> None:
    update = an_update()
    decoded = decode(encode(update))
    assert (decoded.client_id, decoded.weight, decoded.base_version) == (3, 600.0, 7)
    assert decoded.scalars == {"loss": 0.1, "scale": 2.0}
    assert isinstance(decoded.sections["delta"], Params)
    assert torch.equal(decoded.sections["delta"]["w"], update.sections["delta"]["w"])
    assert torch.equal(decoded.sections["codes"]["bits"], update.sections["codes"]["bits"])
    assert schema_of(decoded) == schema_of(update)


def test_a_message_comes_back_as_it_was() -> None:
    message = Message(sections={"model": Params.of({"w": torch.ones(3)})}, base_version=12)
    decoded = decode_message(encode(message), schema_of(message), max_bytes=LIMIT)
    assert decoded.base_version == 12
    assert decoded.sections["model"]["w"].tolist() == [1, 1, 1]


def test_the_payload_is_ordinary_safetensors() -> None:
    tensors = load_safetensors(encode(an_update()))
    assert sorted(tensor.numel() for tensor in tensors.values()) == [2, 2, 3, 3, 6]


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
tensors = st.builds(
    lambda dtype, shape: torch.zeros(shape, dtype=dtype),
    st.sampled_from(sorted(DTYPES.values(), key=str)),
    st.lists(st.integers(0, 4), max_size=3),
)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(names, st.dictionaries(names, tensors, max_size=3), max_size=3),
    st.dictionaries(names, st.floats(allow_nan=False, allow_infinity=False), max_size=3),
    st.integers(0, 2**62),
)
def test_the_size_is_known_without_encoding(
    sections: dict[str, dict[str, torch.Tensor]], scalars: dict[str, float], number: int
) -> None:
    message = Message(sections=sections, scalars=scalars, base_version=number)
    update = Update(
        sections=sections, scalars=scalars, base_version=number, client_id=number, weight=1.5
    )
    for item in (message, update):
        payload = encode(item)
        assert len(payload) == encoded_size(schema_of(item))
    decoded = decode(payload, update)
    assert encode(decoded) == payload
    assert decoded.scalars == scalars


def test_the_size_does_not_depend_on_the_numbers() -> None:
    small, large = an_update(), an_update(weight=1 / 3, client_id=10**9, base_version=10**12)
    assert len(encode(small)) == len(encode(large))


def test_tensors_start_at_a_round_address() -> None:
    info = [info_of("w", torch.zeros(5))]
    for metadata in ({}, {"a": "b"}, {"a": "x" * 57}):
        assert len(header_bytes(info, metadata)) % 64 == 0


def test_strided_and_low_precision_tensors_travel() -> None:
    strided = torch.arange(12.0).view(3, 4).t()
    half = torch.tensor([1.5, -2.0], dtype=torch.bfloat16)
    payload = b"".join(
        [
            header_bytes([info_of("s", strided), info_of("h", half)], {}),
            tensor_bytes(strided),
            tensor_bytes(half),
        ]
    )
    found = dict(read(payload))
    assert torch.equal(found["s"], strided)
    assert torch.equal(found["h"], half)


def refusal(payload: bytes, **options: Any) -> str:
    with pytest.raises(WireError) as caught:
        decode_update(payload, schema_of(an_update()), **{"max_bytes": LIMIT, **options})
    return caught.value.message


def test_a_payload_above_the_limit_is_refused_before_it_is_parsed() -> None:
    assert "larger than the limit" in refusal(b"\xff" * 100, max_bytes=99)
    payload = encode(an_update())
    assert decode_update(payload, schema_of(an_update()), max_bytes=len(payload)).client_id == 3


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x00" * 7,
        b"\xff" * 64,
        (1 << 40).to_bytes(8, "little") + b"{}",
        (2).to_bytes(8, "little") + b"[]",
        (7).to_bytes(8, "little") + b'{"a":{}' + b"\x00" * 20,
        b"\x80\x04\x95cposix\nsystem\n.",  # the start of a pickle
    ],
)
def test_bytes_that_are_no_safetensors_are_refused(payload: bytes) -> None:
    assert refusal(payload)


def test_a_cut_or_lengthened_payload_is_refused() -> None:
    payload = encode(an_update())
    for cut in range(0, len(payload), 13):
        assert refusal(payload[:cut])
    assert refusal(payload + b"\x00")


def test_no_flipped_bit_goes_further_than_a_wire_error() -> None:
    payload = encode(an_update())
    accepted = 0
    for position in range(len(payload)):
        damaged = bytearray(payload)
        damaged[position] ^= 1 << (position % 8)
        try:
            decode(bytes(damaged))
            accepted += 1
        except WireError:
            pass
    # Numbers may change within what is finite; names, types and shapes may not.
    assert accepted <= len(payload) - payload.index(b"}") + 64


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_refused(value: float) -> None:
    bad = Params.of({"w": torch.tensor([[0, 1, 2], [3, value, 5]]), "b": torch.zeros(2)})
    sections = {**an_update().sections, "delta": bad}
    for update in (
        an_update(sections=sections),
        an_update(weight=value),
        an_update(scalars={"loss": value, "scale": 1.0}),
    ):
        assert "not finite" in refusal(encode(update))


def delta_of(tensors: dict[str, torch.Tensor]) -> dict[str, Any]:
    return {"sections": {**an_update().sections, "delta": tensors}}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (delta_of({"w": torch.zeros(3, 2), "b": torch.zeros(2)}), "tensor w"),
        (delta_of({"w": torch.zeros(2, 3), "b": torch.zeros(2, dtype=torch.float64)}), "tensor b"),
        (delta_of({"w": torch.zeros(2, 3)}), "other tensors"),
        (delta_of({"w": torch.zeros(2, 3), "c": torch.zeros(2)}), "other tensors"),
        (delta_of({"b": torch.zeros(2), "w": torch.zeros(2, 3)}), "other tensors"),
        ({"sections": {"delta": an_update().sections["delta"]}}, "sections"),
        ({"scalars": {"loss": 1.0}}, "scalars"),
        ({"scalars": {"scale": 1.0, "loss": 1.0}}, "scalars"),
    ],
)
def test_another_schema_is_refused_and_named(changes: dict[str, Any], words: str) -> None:
    assert words in refusal(encode(an_update(**changes)))


def test_a_message_is_no_update() -> None:
    update = an_update()
    message = Message(sections=update.sections, scalars=update.scalars, base_version=1)
    assert "kind" in refusal(encode(message))


@pytest.mark.parametrize(
    "document",
    [
        None,
        "[]",
        "no json",
        json.dumps({"kind": "update", "sections": [["delta", ["w"]]], "scalars": []}),
        json.dumps({"kind": "update", "sections": 3, "scalars": []}),
        json.dumps({"kind": "update", "sections": [["delta", [["w"]]]], "scalars": []}),
        "[" * 100_000,
    ],
)
def test_a_header_that_does_not_describe_the_tensors_is_refused(document: str | None) -> None:
    tensors = {
        "integers": torch.zeros(2, dtype=torch.int64),
        "floats": torch.zeros(1, dtype=torch.float64),
    }
    metadata = None if document is None else {"roundhouse": document}
    assert "header" in refusal(save_safetensors(tensors, metadata))

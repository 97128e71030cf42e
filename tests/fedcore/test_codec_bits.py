"""Packing: exact sizes, exact values, and refusal of bytes that mean nothing."""

from __future__ import annotations

import pytest
import torch

from fedcore.compression.bits import pack_bits, pack_trits, unpack_bits, unpack_trits
from fedcore.compression.stream import Sink, Source
from fedcore.errors import WireError

COUNTS = [0, 1, 4, 5, 7, 8, 9, 64, 1001]


@pytest.mark.parametrize("bits", range(1, 17))
@pytest.mark.parametrize("count", COUNTS)
def test_codes_of_any_width_come_back_without_gaps(bits: int, count: int) -> None:
    codes = torch.randint(1 << bits, (count,), generator=torch.Generator().manual_seed(bits))
    packed = pack_bits(codes, bits)
    assert packed.dtype == torch.uint8
    assert packed.numel() == -(-count * bits // 8)
    assert torch.equal(unpack_bits(packed, bits, count), codes.to(torch.int32))


@pytest.mark.parametrize("bits", [1, 3, 8, 11, 16])
def test_the_largest_and_the_smallest_code_survive(bits: int) -> None:
    codes = torch.tensor([0, (1 << bits) - 1] * 9)
    assert torch.equal(unpack_bits(pack_bits(codes, bits), bits, 18), codes.to(torch.int32))


def test_the_layout_of_bits_is_fixed() -> None:
    assert pack_bits(torch.tensor([1, 0, 0, 0, 0, 0, 0, 1, 1]), 1).tolist() == [0b10000001, 1]
    assert pack_bits(torch.tensor([0xA, 0xB, 0xC]), 4).tolist() == [0xBA, 0x0C]
    assert pack_bits(torch.tensor([0x123, 0x456]), 12).tolist() == [0x23, 0x56, 0x41]


@pytest.mark.parametrize("count", COUNTS)
def test_five_trits_take_one_byte(count: int) -> None:
    trits = torch.randint(3, (count,), generator=torch.Generator().manual_seed(count))
    packed = pack_trits(trits)
    assert packed.numel() == -(-count // 5)
    assert torch.equal(unpack_trits(packed, count), trits.to(torch.uint8))


def test_a_byte_that_is_no_five_trits_is_refused() -> None:
    with pytest.raises(WireError, match="out of range"):
        unpack_trits(torch.tensor([243], dtype=torch.uint8), 5)


def test_a_stream_returns_pieces_of_all_types_in_order() -> None:
    sink = Sink()
    sink.write(torch.tensor([7], dtype=torch.uint8))
    sink.write(torch.tensor(-1.5))
    sink.write(torch.tensor([3, -4], dtype=torch.int16))
    source = Source(sink.packed())
    assert source.read(1).tolist() == [7]
    assert source.read(1, torch.float32).tolist() == [-1.5]
    assert source.read(2, torch.int16).tolist() == [3, -4]
    source.finish()


def test_a_stream_that_is_too_short_or_too_long_is_refused() -> None:
    source = Source(torch.zeros(5, dtype=torch.uint8))
    with pytest.raises(WireError, match="longer"):
        source.finish()
    with pytest.raises(WireError, match="too early"):
        source.read(2, torch.float32)

"""Codes of a few bits as bytes, without gaps.

Eight codes of B bits are exactly B bytes, so codes are packed eight at a time in one 64-bit word.
Codes of more than eight bits travel as a plane of low bytes, followed by the packed higher bits.
"""

from __future__ import annotations

import torch
from torch import Tensor

from fedcore.errors import WireError

_WORD = 8
TRITS_PER_BYTE = 5
_TRIT_VALUES = 3**TRITS_PER_BYTE


def pack_bits(codes: Tensor, bits: int) -> Tensor:
    """Return codes below ``2**bits`` as bytes.

    Args:
        codes: Whole numbers, shape ``(n,)``.
        bits: From 1 to 31.

    Returns:
        uint8, shape ``(ceil(n * bits / 8),)``; the first code is in the lowest bits.
    """
    if bits <= _WORD:
        return _pack_low(codes, bits)
    low = (codes & 0xFF).to(torch.uint8)
    return torch.cat([low, pack_bits(codes >> _WORD, bits - _WORD)])


def unpack_bits(packed: Tensor, bits: int, count: int) -> Tensor:
    """Return the ``count`` codes in ``packed`` as int32, the reverse of ``pack_bits``."""
    if bits <= _WORD:
        return _unpack_low(packed, bits, count).to(torch.int32)
    low = packed[:count].to(torch.int32)
    high = unpack_bits(packed[count:], bits - _WORD, count)
    return low | (high << _WORD)


def pack_trits(trits: Tensor) -> Tensor:
    """Return numbers 0, 1 and 2 as bytes, five each.

    Args:
        trits: Whole numbers, shape ``(n,)``.

    Returns:
        uint8, shape ``(ceil(n / 5),)``.
    """
    rows = _rows(trits.to(torch.uint8), TRITS_PER_BYTE)
    packed = rows[:, 0].clone()
    for place in range(1, TRITS_PER_BYTE):
        packed += rows[:, place] * 3**place
    return packed


def unpack_trits(packed: Tensor, count: int) -> Tensor:
    """Return the ``count`` numbers in ``packed`` as uint8, the reverse of ``pack_trits``.

    Raises:
        WireError: If a byte stands for no five trits.
    """
    if bool((packed >= _TRIT_VALUES).any()):
        raise WireError("a byte of a ternary payload is out of range")
    columns = [(packed // 3**place) % 3 for place in range(TRITS_PER_BYTE)]
    return torch.stack(columns, dim=1).reshape(-1)[:count]


def _pack_low(codes: Tensor, bits: int) -> Tensor:
    size_bytes = -(-codes.numel() * bits // 8)
    narrow = codes.to(torch.uint8)
    if bits == _WORD or not size_bytes:
        return narrow
    columns = _rows(narrow, _WORD)
    words = torch.zeros(columns.shape[0], dtype=torch.int64, device=codes.device)
    for place in range(_WORD):
        words |= columns[:, place].to(torch.int64) << (place * bits)
    return _rows(words.view(torch.uint8), _WORD)[:, :bits].reshape(-1)[:size_bytes]


def _unpack_low(packed: Tensor, bits: int, count: int) -> Tensor:
    if bits == _WORD or not count:
        return packed[:count]
    rows = _rows(packed, bits)
    wide = rows.new_zeros(rows.shape[0], _WORD)
    wide[:, :bits] = rows
    words = wide.view(-1).view(torch.int64)
    mask = (1 << bits) - 1
    columns = [((words >> (place * bits)) & mask).to(torch.uint8) for place in range(_WORD)]
    return torch.stack(columns, dim=1).reshape(-1)[:count]


def _rows(values: Tensor, width: int) -> Tensor:
    """Return the values in rows, the last one filled up with zeros, shape ``(rows, width)``."""
    missing = -values.numel() % width
    if missing:
        values = torch.cat([values, values.new_zeros(missing)])
    return values.reshape(values.numel() // width, width)

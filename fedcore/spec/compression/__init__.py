"""Codecs: how messages are made smaller, and how many bytes each of them takes.

A chain has at most two links: one that chooses *which* entries travel (a support: topk, randk,
dgc), then one that decides *how many bits* an entry gets (cast, quantize, qsgd, sign, ternary).
Sizes follow from shapes and the round alone, never from the values, so that both ends and the
estimate know them beforehand.
"""

from fedcore.spec.compression.base import (
    SHORT_INDEX_SIZE,
    CodecSpec,
    Shape,
    SupportCodecSpec,
    ValueCodecSpec,
    index_format,
    index_width,
    packed_bytes,
)
from fedcore.spec.compression.section import (
    CompressionSpec,
    chain_bytes,
)
from fedcore.spec.compression.support import (
    DgcSpec,
    RandkSpec,
    TopkSpec,
    share_of,
)
from fedcore.spec.compression.values import (
    CastSpec,
    QsgdSpec,
    QuantizeSpec,
    SignSpec,
    TernarySpec,
)

__all__ = [
    "SHORT_INDEX_SIZE",
    "CastSpec",
    "CodecSpec",
    "CompressionSpec",
    "DgcSpec",
    "QsgdSpec",
    "QuantizeSpec",
    "RandkSpec",
    "Shape",
    "SignSpec",
    "SupportCodecSpec",
    "TernarySpec",
    "TopkSpec",
    "ValueCodecSpec",
    "chain_bytes",
    "index_format",
    "index_width",
    "packed_bytes",
    "share_of",
]

"""Compression of messages: chains of codecs, and what clients remember of what they left out."""

from fedcore.compression import qsgd, quantize, support, values  # noqa: F401  (importing registers)
from fedcore.compression.base import CodecContext
from fedcore.compression.chain import Chain, Packed
from fedcore.compression.client import Compressed, Compressor

__all__ = ["Chain", "CodecContext", "Compressed", "Compressor", "Packed"]

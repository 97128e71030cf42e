"""Messages as bytes: safetensors with a JSON header, never pickle."""

from fedcore.wire.codec import (
    decode_message,
    decode_update,
    encode,
    encoded_size,
)
from fedcore.wire.schema import Schema, schema_of

__all__ = [
    "Schema",
    "decode_message",
    "decode_update",
    "encode",
    "encoded_size",
    "schema_of",
]

"""The safetensors format: a length, a JSON header, then the tensors' bytes.

Written here rather than by the library for two reasons: the size of a message is known from its
header alone, without touching a tensor, and tensors go to a file without a second copy in memory.
Reading is left to the library, which checks offsets, lengths and overlaps of untrusted bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, deserialize
from torch import Tensor

from fedcore.errors import WireError

DTYPE_NAMES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
DTYPES = {name: dtype for dtype, name in DTYPE_NAMES.items()}

_LENGTH_BYTES = 8
#: Tensor data starts at a multiple of this, so that a mapped file is as aligned as fresh memory.
ALIGNMENT_BYTES = 64


@dataclass(frozen=True)
class TensorInfo:
    """Name, type and shape of one tensor.

    Attributes:
        name: Its name.
        dtype: Its type.
        shape: Its shape.
        is_longest: Whether the first length is only the largest that is allowed, in a description
            of what is expected.
    """

    name: str
    dtype: torch.dtype
    shape: tuple[int, ...]
    is_longest: bool = False

    def admits(self, found: TensorInfo) -> bool:
        """Return whether a tensor is what this one says is expected."""
        if not self.is_longest:
            return self == found
        same = (self.name, self.dtype, self.shape[1:]) == (found.name, found.dtype, found.shape[1:])
        return same and bool(found.shape) and found.shape[0] <= self.shape[0]

    @property
    def size_bytes(self) -> int:
        """Bytes of the tensor's elements."""
        count = 1
        for length in self.shape:
            count *= length
        return count * self.dtype.itemsize


def info_of(name: str, tensor: Tensor) -> TensorInfo:
    """Return name, type and shape of a tensor."""
    return TensorInfo(name, tensor.dtype, tuple(tensor.shape))


def header_bytes(tensors: Iterable[TensorInfo], metadata: Mapping[str, str]) -> bytes:
    """Return everything that precedes the first tensor's bytes."""
    header: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    end = 0
    for info in tensors:
        start, end = end, end + info.size_bytes
        header[info.name] = {
            "dtype": DTYPE_NAMES[info.dtype],
            "shape": list(info.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(_LENGTH_BYTES + len(text)) % ALIGNMENT_BYTES)
    return len(text).to_bytes(_LENGTH_BYTES, "little") + text


def tensor_bytes(tensor: Tensor) -> memoryview:
    """Return a tensor's elements as bytes, without a copy if it is contiguous on the CPU."""
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().data


def read(payload: bytes) -> list[tuple[str, Tensor]]:
    """Return the tensors of a safetensors payload, with their names.

    Raises:
        WireError: If the payload is not well-formed or holds a type that we never send.
    """
    try:
        entries = deserialize(payload)  # type: ignore[no-untyped-call]
        return [(name, _tensor(entry)) for name, entry in entries]
    except (SafetensorError, RuntimeError, OverflowError, MemoryError) as error:
        raise WireError(f"not a safetensors payload: {error}") from error


def read_metadata(payload: bytes) -> dict[str, str]:
    """Return the header's metadata; call ``read`` first, which checks the payload as a whole."""
    length = int.from_bytes(payload[:_LENGTH_BYTES], "little")
    header = json.loads(payload[_LENGTH_BYTES : _LENGTH_BYTES + length])
    metadata = header.get("__metadata__", {})
    return {str(key): str(value) for key, value in metadata.items()}


def _tensor(entry: Mapping[str, object]) -> Tensor:
    dtype = DTYPES.get(str(entry["dtype"]))
    if dtype is None:
        raise WireError(f"tensors of type {entry['dtype']} are not accepted")
    shape, data = entry["shape"], entry["data"]
    if not isinstance(shape, list) or not isinstance(data, bytearray | bytes):
        raise WireError("not a safetensors payload")
    if not data:
        return torch.empty(shape, dtype=dtype)
    return torch.frombuffer(bytearray(data) if isinstance(data, bytes) else data, dtype=dtype).view(
        shape
    )


def map_file(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors of a safetensors file that we wrote, mapped into memory, and its metadata.

    Pages are shared between processes and read when they are first used. Writing to such a tensor
    changes this process's copy alone.

    Raises:
        ValueError: If the file is cut off or is no safetensors file.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
        if length > size:
            raise ValueError(f"{path} is no safetensors file")
        header = json.loads(file.read(length))
    metadata = header.pop("__metadata__", {})
    start = _LENGTH_BYTES + length
    if size != start + max((entry["data_offsets"][1] for entry in header.values()), default=0):
        raise ValueError(f"{path} is cut off")
    mapped = torch.from_file(str(path), shared=False, size=size, dtype=torch.uint8)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        data = mapped[start + begin : start + end]
        tensors[name] = data.view(DTYPES[entry["dtype"]]).view(entry["shape"])
    return tensors, metadata

"""Hostile checkpoints: files that are none, and files whose form is right and content is not."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from safetensors.torch import save as save_safetensors

from fedcore.engine import checkpoint
from fedcore.errors import CheckpointError, WireError
from fedcore.messages import Update
from fedcore.params import Params
from fedcore.state import RunState
from fedcore.wire import decode_update, encode
from fedcore.wire.schema import schema_of
from tests.hostile.conftest import Note, files_below
from webapp.artifacts.services import restore_folder

CPU = torch.device("cpu")
SPEC, DATA = "spec", "data"


def good(folder: Path) -> Path:
    state = RunState(3, {"model": Params.of({"w": torch.ones(2, 2), "b": torch.zeros(2)})})
    return checkpoint.save(folder, state, digest=SPEC, data_fingerprint=DATA)


def content_of(path: Path) -> dict[str, Any]:
    payload = path.read_bytes()
    (length,) = struct.unpack("<Q", payload[:8])
    found: dict[str, Any] = json.loads(json.loads(payload[8 : 8 + length])["__metadata__"]["state"])
    return found


def write(folder: Path, text: str) -> None:
    """Write a checkpoint whose checksum is right, whatever its text says."""
    tensors = [torch.ones(2, 2), torch.zeros(2)]
    digest = hashlib.sha256(text.encode())
    for tensor in tensors:
        digest.update(f"|{tensor.dtype}{list(tensor.shape)}|".encode())
        digest.update(tensor.numpy().tobytes())
    named = {str(place): tensor for place, tensor in enumerate(tensors)}
    metadata = {"state": text, "sha256": digest.hexdigest()}
    (folder / checkpoint.FILE_NAME).write_bytes(save_safetensors(named, metadata))


def refusal(folder: Path) -> str:
    """Load, and return the code of the refusal; nothing may have been written."""
    before = {path: path.read_bytes() for path in files_below(folder)}
    with pytest.raises(CheckpointError) as caught:
        checkpoint.load(folder, digest=SPEC, data_fingerprint=DATA, device=CPU)
    assert {path: path.read_bytes() for path in files_below(folder)} == before
    return caught.value.code


def test_the_helper_writes_what_is_read(tmp_path: Path) -> None:
    write(tmp_path, json.dumps(content_of(good(tmp_path / "good"))))
    loaded = checkpoint.load(tmp_path, digest=SPEC, data_fingerprint=DATA, device=CPU)
    assert loaded.round_index == 3


def _zip() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x04cposix\nsystem\n.")
    return stream.getvalue()


def _header(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def _entry(dtype: str, shape: list[Any], start: int, end: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


NO_FILES: list[bytes] = [
    *(b"", b"\x00", b"\xff" * 64, b"not a checkpoint", b"\x80\x04\x95cposix\nsystem\n.", _zip()),
    *(struct.pack("<Q", size) + b"{}" for size in (3, 2**31, 2**40, 2**63, 2**64 - 1)),
    *(
        _header(text)
        for text in (b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 9_999)
    ),
    _header({"0": _entry("F32", [2], 0, 8)}, b"\0" * 4),
    _header({"0": _entry("F32", [2], 0, 4)}, b"\0" * 8),
    _header({"0": _entry("F32", [2], 4, 12)}, b"\0" * 12),
    _header({"0": _entry("F32", [2], 0, 8), "1": _entry("F32", [2], 4, 12)}, b"\0" * 12),
    _header({"0": _entry("F32", [2**40, 2**40], 0, 8)}, b"\0" * 8),
    _header({"0": _entry("F32", [-1], 0, 8)}, b"\0" * 8),
    _header({"0": _entry("F32", [0, 2**62], 0, 0)}),
    _header({"0": _entry("OBJECT", [2], 0, 8)}, b"\0" * 8),
    _header({"0": _entry("F8_E4M3", [8], 0, 8)}, b"\0" * 8),
    _header({"0": _entry("F32", ["2"], 0, 8)}, b"\0" * 8),
    _header({"7": _entry("F32", [2], 0, 8)}, b"\0" * 8),
    _header({"../../x": _entry("F32", [2], 0, 8)}, b"\0" * 8),
    _header({"__metadata__": {"state": "{}"}, "0": _entry("F32", [2], 0, 8)}, b"\0" * 8),
    _header({"__metadata__": {"state": 7, "sha256": []}}),
    _header({"__metadata__": []}),
    _header({"0": 7}),
]


@pytest.mark.parametrize("payload", NO_FILES, ids=range(len(NO_FILES)))
def test_files_that_are_no_checkpoint(tmp_path: Path, tried: Note, payload: bytes) -> None:
    (tmp_path / checkpoint.FILE_NAME).write_bytes(payload)
    tried("checkpoints", "files that are none", refusal(tmp_path))


@pytest.mark.parametrize("tenth", range(10))
@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_damaged_files(tmp_path: Path, tried: Note, damage: str, tenth: int) -> None:
    path = good(tmp_path)
    payload = bytearray(path.read_bytes())
    place = len(payload) * tenth // 10 + (8 if damage == "flipped" else 0)
    if damage == "cut":
        payload = payload[:place]
    elif payload[place] in b" \n":  # padding of the header says nothing
        payload[place] = ord("x")
    else:
        payload[place] ^= 0x55
    path.write_bytes(bytes(payload))
    tried("checkpoints", "damaged files", refusal(tmp_path))


#: A change of what a checkpoint says; the checksum is computed anew.
Change = Callable[[dict[str, Any]], Any]


def _replaced(key: str, value: Any) -> Change:
    return lambda content: {**content, key: value}


def _without(key: str) -> Change:
    return lambda content: {name: value for name, value in content.items() if name != key}


def _instead(value: Any) -> Change:
    return lambda _: value


_KEYS = [
    *("format", "digest", "data", "round_index", "tensors", "clients", "records", "flights"),
    *("combined", "broadcast", "heard", "norms", "kernels", "method", "sampler", "ledger"),
    *("totals", "metrics", "stopping"),
]
_STRUCTURED = ["tensors", "clients", "records", "flights", "combined", "broadcast", "heard"]
_ROUNDS: list[Any] = [-1, 1.5, "3", None, True, [], -1000]
_FORMATS: list[Any] = [1, 3, "2", None, []]
_DIGESTS: list[Any] = ["other", None, 7, ["spec"], "spec\x00"]
_TOTALS: list[Any] = [None, {"evil": 1}, [1], {"__class__": "x"}]
_STOPPINGS: list[Any] = [None, {"evil": 1}, 7]
_WHOLE: list[Any] = [[], None, 7, "x", [[]]]
CHANGES: list[Change] = [
    *(_without(key) for key in _KEYS),
    *(_replaced(key, value) for key in _STRUCTURED for value in (None, 7, "x", [[1]], [None])),
    *(_replaced("tensors", [["model", True, [["w", number]]]]) for number in (-1, 2, 10**30, "0")),
    *(_replaced("tensors", [["model", True, [["w", n]]]]) for n in (True, None, 0.0, [0])),
    _replaced("tensors", [["model", True, [[None, 0], [["x"], 1]]]] * 2 + [7]),
    *(_replaced("round_index", value) for value in _ROUNDS),
    *(_replaced("format", value) for value in _FORMATS),
    *(_replaced("digest", value) for value in _DIGESTS),
    *(_replaced("data", value) for value in ("other", None, 7)),
    *(_replaced("totals", value) for value in _TOTALS),
    *(_replaced("stopping", value) for value in _STOPPINGS),
    *(_replaced("norms", value) for value in (None, 7)),
    *(_replaced("ledger", value) for value in (None, 7)),
    *(_instead(value) for value in _WHOLE),
]


@pytest.mark.parametrize("change", CHANGES, ids=range(len(CHANGES)))
def test_states_with_a_right_checksum(tmp_path: Path, tried: Note, change: Change) -> None:
    content = content_of(good(tmp_path / "good"))
    write(tmp_path, json.dumps(change(content)))
    tried("checkpoints", "other content, right checksum", refusal(tmp_path))


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"a":' * 50_000, "\u0000", "9" * 5_000])
def test_texts_with_a_right_checksum(tmp_path: Path, tried: Note, text: str) -> None:
    write(tmp_path, text)
    tried("checkpoints", "other content, right checksum", refusal(tmp_path))


def _tar(*members: tuple[str, bytes, dict[str, Any]]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content, fields in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for field, value in fields.items():
                setattr(info, field, value)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


_PLAIN: tuple[str, bytes, dict[str, Any]] = ("checkpoint.safetensors", b"x", {})
TARS: list[bytes] = [
    *(
        _tar(_PLAIN, (name, b"evil", {}))
        for name in ("../evil", "/tmp/evil", "a/../../evil", "..", "a/b/../../../evil")  # noqa: S108
    ),
    *(
        _tar(("link", b"", {"type": kind, "linkname": target}), ("link/evil", b"x", {}))
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE)
        for target in ("..", "/etc/passwd", "checkpoint.safetensors")
    ),
    *(
        _tar(("device", b"", {"type": kind}))
        for kind in (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.CONTTYPE + b"")
        if kind != tarfile.CONTTYPE
    ),
    _tar(*((f"f{n}", b"", {}) for n in range(10_002))),
    _tar(_PLAIN)[:300],
    b"\x1f\x8b" + b"\x00" * 600,
    b"PK\x03\x04" + b"\x00" * 600,
    b"\x80\x04cposix\nsystem\n." * 50,
    b"x" * 2_000,
]


@pytest.mark.parametrize("payload", TARS, ids=range(len(TARS)))
def test_archives(tmp_path: Path, settings: Any, tried: Note, payload: bytes) -> None:
    default = {**settings.STORAGES["default"], "OPTIONS": {"location": str(tmp_path / "files")}}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    key = default_storage.save("runs/x/checkpoint.tar", ContentFile(payload))
    into = tmp_path / "work" / "into"
    into.mkdir(parents=True)
    with pytest.raises(CheckpointError) as caught:
        restore_folder(key=key, sha256=hashlib.sha256(payload).hexdigest(), into=into)
    assert files_below(tmp_path / "work") == []
    assert not Path("/tmp/evil").exists()  # noqa: S108
    tried("checkpoints", "archives", caught.value.code)


def an_update(**changes: Any) -> Update:
    delta = Params.of({"w": torch.ones(2, 2), "b": torch.zeros(2)})
    return Update(
        **{
            "sections": {"delta": delta},
            "base_version": 1,
            "client_id": 1,
            "weight": 2.0,
            **changes,
        }
    )


@pytest.mark.parametrize("payload", NO_FILES, ids=range(len(NO_FILES)))
def test_updates_that_are_none(tried: Note, payload: bytes) -> None:
    with pytest.raises(WireError) as caught:
        decode_update(payload, schema_of(an_update()), max_bytes=10**6)
    tried("uploads", "updates that are none", caught.value.code)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("place", ["weight", "delta", "shape", "size"])
def test_updates_out_of_range(tried: Note, place: str, value: float) -> None:
    expected, limit = schema_of(an_update()), 10**6
    bad = Params.of({"w": torch.full((2, 2), value), "b": torch.zeros(2)})
    update = {
        "weight": an_update(weight=value),
        "delta": an_update(sections={"delta": bad}),
        "shape": an_update(sections={"delta": Params.of({"w": torch.ones(3), "b": torch.ones(2)})}),
        "size": an_update(),
    }[place]
    if place == "size":
        limit = len(encode(update)) - 1
    with pytest.raises(WireError) as caught:
        decode_update(encode(update), expected, max_bytes=limit)
    tried("uploads", "updates out of range", caught.value.code)

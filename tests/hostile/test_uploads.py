"""Hostile data sets: files of a user, of which every byte may be a lie."""

from __future__ import annotations

import bz2
import gzip
import io
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from fedcore.data import Request, limits, load_dataset
from fedcore.environment import Folders
from fedcore.errors import DatasetError
from fedcore.spec.data import HuggingFaceDatasetSpec, UploadSpec
from tests.hostile.bodies import pickle_that_writes
from tests.hostile.conftest import Note, files_below

#: What a pickle writes that somebody has loaded; it must never be there.
CANARY = Path("/tmp/roundhouse-canary")  # noqa: S108


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (tmp_path / "secret.csv").write_text("x,y\n1,a\n2,b\n3,a\n4,b\n")
    return folder


def refusal(data: Path, spec: Any) -> str:
    """Load a data set; it must be refused with a fix, and leave nothing in the cache."""
    cache = data.parent / "cache"
    with pytest.raises(DatasetError) as caught:
        load_dataset(spec, Request(0, 4, Folders(data, cache)))
    assert caught.value.fix
    assert (caught.value.field or "").startswith("dataset.")
    assert len(caught.value.message) < 2_000
    assert not CANARY.exists()
    assert [file for file in files_below(cache) if file.suffix == ".safetensors"] == []
    return caught.value.code


def upload(path: str, **settings: Any) -> UploadSpec:
    return UploadSpec.model_validate({"path": path, "target": "y", **settings})


def _zip(name: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return stream.getvalue()


def _tar() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("../evil.csv"))
    return stream.getvalue()


PICKLE = pickle_that_writes(CANARY)
BOMB = b"0,1\n" * 2_000_000
DISGUISES: dict[str, bytes] = {
    "pickle": PICKLE,
    "zip bomb": _zip("t.csv", BOMB),
    "zip that climbs": _zip("../../t.csv", b"x,y\n1,2\n"),
    "gzip bomb": gzip.compress(BOMB),
    "bzip2 bomb": bz2.compress(BOMB),
    "tar": _tar(),
    "program": b"\x7fELF" + b"\x00" * 100,
    "web page": b"<html><script>alert(1)</script></html>",
    "NumPy objects": b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,)}"
    + PICKLE,
    "SQLite": b"SQLite format 3\x00" + b"\x00" * 100,
    "HDF5": b"\x89HDF\r\n\x1a\n" + b"\x00" * 100,
    "Arrow stream": b"ARROW1\x00\x00" + b"\x00" * 100,
    "UTF-16": "x,y\n1,a\n".encode("utf-16"),
    "nothing": b"",
    "zeros": b"\x00" * 4_096,
}
SUFFIXES = [".csv", ".parquet"]
OTHERS = [".pkl", ".npy", ".npz", ".pt", ".zip", ".tar.gz", ".csv.gz", ".xlsx", ".h5", ".py", ".db"]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", DISGUISES)
def test_files_in_disguise(data: Path, tried: Note, name: str, suffix: str) -> None:
    (data / f"t{suffix}").write_bytes(DISGUISES[name])
    tried("uploads", "files in disguise", refusal(data, upload(f"t{suffix}")))


@pytest.mark.parametrize("suffix", OTHERS)
def test_formats_that_are_not_read(data: Path, tried: Note, suffix: str) -> None:
    (data / f"t{suffix}").write_bytes(PICKLE)
    tried("uploads", "formats that are not read", refusal(data, upload(f"t{suffix}")))


def parquet(rows: int = 50, **columns: Any) -> bytes:
    stream = io.BytesIO()
    table = pa.table({"x": list(range(rows)), "y": ["a", "b"] * (rows // 2), **columns})
    pq.write_table(table, stream)
    return stream.getvalue()


@pytest.mark.parametrize("tenth", range(10))
@pytest.mark.parametrize("damage", ["cut", "footer"])
def test_damaged_parquet(data: Path, tried: Note, damage: str, tenth: int) -> None:
    content = parquet()
    if damage == "cut":
        content = content[: len(content) * tenth // 10]
    else:
        length = (0, 1, 2**31 - 1, 2**32 - 1, 2**31, 7, 100, 12_345, 2**24, 65_536)[tenth]
        content = content[:-8] + struct.pack("<I", length) + b"PAR1"
    (data / "t.parquet").write_bytes(content)
    tried("uploads", "damaged Parquet", refusal(data, upload("t.parquet")))


def _dictionary_bomb() -> bytes:
    """Return a small file whose few distinct values are repeated into a very large table."""
    return parquet(rows=20_000, text=["z" * 20_000] * 20_000)


def _many_columns() -> bytes:
    return parquet(rows=2, **{f"c{n}": [0, 0] for n in range(limits.MAX_COLUMNS + 1)})


def _csv(*lines: str) -> bytes:
    return ("\n".join(lines) + "\n").encode()


LARGE: dict[str, tuple[str, Callable[[], bytes]]] = {
    "values repeated by a dictionary": ("t.parquet", _dictionary_bomb),
    "columns of Parquet": ("t.parquet", _many_columns),
    "columns of CSV": ("t.csv", lambda: _csv(",".join(f"c{n}" for n in range(20_000)), "")),
    "categories": (
        "t.csv",
        lambda: _csv("x,z,y", *(f"id{n},1,{'ab'[n % 2]}" for n in range(3_000))),
    ),
    "classes": ("t.csv", lambda: _csv("x,y", *(f"{n},class{n}" for n in range(11_000)))),
    "infinite numbers": ("t.csv", lambda: _csv("x,y", "1,a", "inf,b", "-inf,a", "nan,b")),
    "numbers beyond all": ("t.csv", lambda: _csv("x,y", "1,a", "1e999,b", "3,a", "4,b")),
    "ragged rows": ("t.csv", lambda: _csv("x,y", "1,a", "1,a,b,c")),
    "a name given twice": ("t.csv", lambda: _csv("y,y", "1,a", "2,b", "3,a", "4,b")),
    "a quote that never ends": ("t.csv", lambda: b'x,y\n1,"' + b"a" * 100_000),
}


@pytest.mark.parametrize("name", LARGE)
def test_tables_beyond_limits(
    data: Path, tried: Note, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(limits, "MAX_TENSOR_BYTES", 64 * 2**20)
    path, make = LARGE[name]
    (data / path).write_bytes(make())
    tried("uploads", "tables beyond limits", refusal(data, upload(path)))


def _chunk(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)


def _png(width: int, height: int, pixels: bytes = b"", *extra: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [_chunk(b"IHDR", header), *extra, _chunk(b"IDAT", zlib.compress(pixels))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + _chunk(b"IEND", b"")


def _picture(kind: str) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(stream, kind)
    return stream.getvalue()


IMAGES: dict[str, Callable[[], bytes]] = {
    "4 billion pixels": lambda: _png(65_535, 65_535),
    "all the pixels there are": lambda: _png(2**31 - 1, 2**31 - 1),
    "one long line": lambda: _png(2**31 - 1, 1),
    "no pixels": lambda: _png(0, 0),
    "half a line": lambda: _png(8, 8, b"\0" * 5),
    "a bomb as comment": lambda: _png(
        8, 8, b"\0" * 72, _chunk(b"zTXt", b"a\0\0" + zlib.compress(b"x" * 80_000_000))
    ),
    "a bomb as profile": lambda: _png(
        8, 8, b"\0" * 30, _chunk(b"iCCP", b"a\0\0" + zlib.compress(b"x" * 80_000_000))
    ),
    "half a JPEG": lambda: _picture("JPEG")[:200],
    "GIF": lambda: _picture("GIF"),
    "TIFF": lambda: _picture("TIFF"),
    "ICO": lambda: _picture("ICO"),
    "PDF": lambda: _picture("PDF"),
    "PostScript": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(id) system\n",
    "SVG": lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>",
    "pickle": lambda: PICKLE,
    "zip": lambda: _zip("x.png", b"x" * 1_000),
    "nothing": lambda: b"",
    "text": lambda: b"not an image",
}


@pytest.mark.parametrize("name", IMAGES)
def test_images(data: Path, tried: Note, name: str) -> None:
    for label in ("cat", "dog"):
        (data / "pets" / label).mkdir(parents=True)
        for number in range(4):
            content = _picture("PNG") if number else IMAGES[name]()
            (data / "pets" / label / f"{number}.png").write_bytes(content)
    spec = UploadSpec.model_validate({"path": "pets"})
    tried("uploads", "images", refusal(data, spec))


LINKS: dict[str, Callable[[Path], str]] = {
    "to a file outside": lambda data: _link(data / "t.csv", data.parent / "secret.csv"),
    "to a folder outside": lambda data: _link(data / "up", data.parent) + "/secret.csv",
    "to a device": lambda data: _link(data / "t.csv", Path("/dev/zero")),
    "to the system": lambda data: _link(data / "etc", Path("/etc")) + "/passwd.csv",
    "to itself": lambda data: _link(data / "t.csv", data / "t.csv"),
    "that leads nowhere": lambda data: _link(data / "t.csv", data / "gone"),
    "through two": lambda data: (
        _link(data / "a", data.parent) + "/" + _link(data.parent / "b", data.parent) + "/secret.csv"
    ),
}


def _link(path: Path, target: Path) -> str:
    path.symlink_to(target)
    return path.name


@pytest.mark.parametrize("name", LINKS)
def test_links(data: Path, tried: Note, name: str) -> None:
    tried("uploads", "links out of the data folder", refusal(data, upload(LINKS[name](data))))


def test_a_pipe_is_no_file(data: Path, tried: Note) -> None:
    os.mkfifo(data / "t.csv")
    tried("uploads", "links out of the data folder", refusal(data, upload("t.csv")))


FOLDERS: dict[str, dict[str, bytes]] = {
    "a script and no data": {"x.py": b"open('/tmp/roundhouse-canary', 'w')"},
    "pickles": {"train.pkl": PICKLE},
    "a zip": {"train.zip": _zip("train.csv", b"x,y\n1,a\n")},
    "Parquet that is a pickle": {"train.parquet": PICKLE},
    "JSON without end": {"train.json": b"[" * 50_000},
    "JSON that is a pickle": {"train.jsonl": PICKLE},
    "CSV of zeros": {"train.csv": b"\x00" * 1_000},
    "no training split": {"test.parquet": parquet()},
}


@pytest.mark.parametrize("name", FOLDERS)
def test_folders_in_the_layout_of_the_hub(data: Path, tried: Note, name: str) -> None:
    (data / "sly").mkdir()
    for file, content in FOLDERS[name].items():
        (data / "sly" / file).write_bytes(content)
    (data / "sly" / "README.md").write_text(
        "---\nconfigs:\n- config_name: default\n  data_files: ../../secret.csv\n---\n"
    )
    settings = {"path": "sly", "input": ["x"], "target": ["y"]}
    spec = HuggingFaceDatasetSpec.model_validate(settings)
    tried("uploads", "folders in the layout of the hub", refusal(data, spec))


def test_a_pickle_in_the_description_of_a_column_is_not_run(data: Path, tried: Note) -> None:
    """Arrow once loaded such a type by unpickling what the file says."""
    field = pa.field(
        "x",
        pa.int64(),
        metadata={
            "ARROW:extension:name": "arrow.py_extension_type",
            "ARROW:extension:metadata": PICKLE,
        },
    )
    table = pa.table(
        [pa.array(range(50)), pa.array(["a", "b"] * 25)],
        schema=pa.schema([field, pa.field("y", pa.string())]),
    )
    stream = io.BytesIO()
    pq.write_table(table, stream)
    (data / "t.parquet").write_bytes(stream.getvalue())
    load_dataset(upload("t.parquet"), Request(0, 4, Folders(data, data.parent / "cache")))
    assert not CANARY.exists()
    tried("uploads", "pickles inside other files", "not run")


@pytest.mark.parametrize("depth", [60, 2_000])
def test_columns_inside_columns(data: Path, tried: Note, depth: int) -> None:
    lines = [f"{'[' * depth}{']' * depth},{'ab'[n % 2]}" for n in range(20)]
    (data / "t.csv").write_bytes(_csv("x,y", *lines))
    settings = upload("t.csv", input="x", input_kind="tokens")
    tried("uploads", "columns inside columns", refusal(data, settings))

"""Bodies that no honest client sends: what is tried, and the code that has to refuse it."""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from pathlib import Path
from typing import Any

INVALID_JSON = "invalid_json"


def _with_rounds(number: str) -> str:
    return f'{{"name":"x","spec":{{"rounds":{number}}}}}'


def _nested(opening: str, closing: str, depth: int) -> str:
    return '{"name":"x","spec":' + opening * depth + closing * depth + "}"


#: Numbers that are none, or that no database and no other reader keeps.
NUMBERS = [
    *("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 20, "9" * 400, "-" + "9" * 5000),
    *("0x10", "0b1", "01", "+1", ".5", "1.", "1_000", "1e", "--1", "1,5", "\uff11"),
]
#: Nesting that exhausts whoever reads it one call per level.
NESTED = [
    *[_nested("[", "]", depth) for depth in (41, 60, 2_000, 100_000, 400_000)],
    *[_nested('{"a":', "}", depth).replace(":}", ":1}", 1) for depth in (41, 5_000, 100_000)],
    _nested('[{"a":', "}]", 30_000).replace(":}", ":1}", 1),
    "[" * 500_000,
    '{"a":' * 150_000,
]
#: Text that is no JSON document, or not one that can be stored.
TEXTS: list[bytes] = [
    *(b"", b" ", b"{", b"nonsense", b"{'name': 'x'}", b'{"name": "x",}', b'{"name": "x"} {}'),
    *(b'{"name": "x"}\x00', b'{"name": undefined}', b"// x\n{}", b"\xef\xbb\xbf{}", b"\xff\xfe"),
    *('{"name": "é"}'.encode("latin-1"), '{"name": "x"}'.encode("utf-16")),
    *(b'{"name": "\xed\xa0\x80"}', b'{"name": "\xc0\xaf"}', b'{"name": "a\nb"}'),
    *(b'{"name": "a\\u0000b", "spec": {}}', b'{"\\u0000": 1}', b'{"\\ud800": 1}'),
    *(b'{"name": "\\udfff", "spec": {}}', b'{"name":"x","name":"y","spec":{}}'),
    b'{"name":"x","spec":{"rounds":1,"rounds":2}}',
    *(zlib.compress(b" " * 10**6), b"\x80\x04\x95cposix\nsystem\n.", b"PK\x03\x04" + b"\0" * 60),
    *(b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", b"name: x\nspec: {}\n"),
]
#: JSON that is no mapping.
SHAPES = [b"[]", b'"x"', b"7", b"null", b"true", b"[[1]]", b"1e3"]
MEDIA_TYPES = [
    *("text/plain", "application/xml", "application/yaml", "application/x-pickle", "text/html"),
    *("application/x-www-form-urlencoded", "application/octet-stream", "application/zip"),
    *("multipart/form-data; boundary=x", "application/jsonx", "image/png", "*/*", "x"),
]

#: What a name must not hold: it ends in headers, mails, logs and file names.
NAMES: list[Any] = [
    *("", " ", "x" * 121, "a\r\nSet-Cookie: x=1", "a\nX-Evil: 1", "a\x1b[2Jb", "a\tb", "a\x7fb"),
    *("a\x85b", "a\u2028b", "a\u202egnp.exe", "a\u2066b", "\u200b"),
    *(None, True, [], ["x"], {}, {"$ne": ""}),
]

_PATHS = [
    *("../secret.csv", "../../etc/passwd", "/etc/passwd", "~root/.ssh/id_rsa", "a/../../b.csv"),
    *("C:\\secret.csv", "\\\\host\\share\\x.csv", "..\\x.csv", "a\x00.csv", "a\nb.csv"),
    *("file:///etc/passwd", "http://169.254.169.254/latest/meta-data/", "https://evil.example/x"),
    *("s3://bucket/x.csv", "ftp://host/x", "hf://x", "zip://a.zip", "x" * 501, "", ".."),
    *(["a"], {"path": "x"}, 7, None),
]
PATHS = [
    *[{"dataset": {"kind": "upload", "path": path}} for path in _PATHS],
    *[
        {"dataset": {"kind": "huggingface", "path": path, "input": "a", "target": "b"}}
        for path in (*_PATHS, "a b", "a;rm -rf", "$(id)", "owner/../name")
    ],
    *[{"model": {"kind": "huggingface", "path": path}} for path in _PATHS],
]

#: Settings that would cost more than any machine has, or that are of another kind than asked for.
_COUNTS: list[Any] = [0, -1, 10**18, 1.5, "many", None, [], {}]
_RATES: list[Any] = ["inf", "-inf", "nan", 1e308, -1, 0, {}, "0x1"]
SPECS: list[Any] = [
    *({"rounds": value} for value in _COUNTS),
    *({"seed": value} for value in (-1, 10**19 - 1, "x", 0.5)),
    {"partition": {"kind": "iid", "clients": 10**12}},
    {"partition": {"kind": "iid", "clients": 0}},
    {"partition": {"kind": "dirichlet", "alpha": "NaN"}},
    {"partition": {"kind": "dirichlet", "alpha": -1}},
    {"model": {"kind": "mlp", "hidden": [10**9, 10**9]}},
    {"model": {"kind": "mlp", "hidden": [1] * 100_000}},
    {"model": {"kind": "mlp", "hidden": "200"}},
    {"model": {"kind": "mlp", "hidden": [-5]}},
    *({"local": {"lr": value}} for value in _RATES),
    {"local": {"epochs": 10**15}},
    {"local": {"batch_size": 0}},
    *({"algorithm": {"kind": kind}} for kind in ("magic", "__class__", "os.system", "", None, 7)),
    {"algorithm": {"kind": {"$ne": None}}},
    {"algorithm": {"_component_": "os.system", "args": ["id"]}},
    {"algorithm": {"kind": "fedprox", "mu": "1e999"}},
    {"algorithm": "os.system('id')"},
    {"__class__": "RunSpec"},
    {"__proto__": {"rounds": 1}},
    {"constructor": {"prototype": {}}},
    {"spec_version": 99},
    {"spec_version": "1; DROP TABLE jobs"},
    {"sampling": {"kind": "random", "count": 10**9}},
    {"sampling": {"kind": "random", "fraction": 2}},
    {"runtime": {"placement": "../local"}},
    {"runtime": {"device": "cuda:0; id"}},
    {"runtime": {"min_updates": 10**9}},
    {"compression": {"uplink": [{"kind": "quantize", "bits": 8}] * 1_000}},
    {"compression": {"uplink": [{"kind": "quantize", "bits": -8}]}},
    {"privacy": {"dp": {"level": "client", "epsilon": 0, "delta": 2}}},
    {"evaluation": {"every": 0}},
    {"topology": {"kind": "star\u0000"}},
    *([], "spec", 7, True),
]

SWEEPS: list[Any] = [
    {"base": {}, "axes": {"seed": list(range(1000)), "rounds": list(range(1, 1001))}},
    {"base": {}, "seeds": 10**9},
    {"base": {}, "seeds": -1},
    {"base": {}, "axes": {"__class__.__init__": [1]}},
    {"base": {}, "axes": {"rounds": []}},
    {"base": {}, "axes": {"": [1]}},
    {"base": {}, "axes": {"algorithm.kind": ["os.system"]}},
    {"base": {}, "axes": {"dataset.path": ["../../etc/passwd"]}},
    {"base": {}, "search": {"trials": 10**12, "parameters": {"local.lr": {"low": 0, "high": 1}}}},
    {"base": []},
    [],
]

#: YAML that makes objects, grows without bound, or says two things at once.
YAMLS = [
    *("!!python/object/apply:os.system ['id']", "a: !!python/name:os.system", "!<tag:x> {}"),
    "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n",
    "base: &x {rounds: 1}\nrounds: 2\n<<: *x\n",
    *("rounds: 1\nrounds: 2\n", "rounds: .nan", "rounds: .inf", "local: {lr: .inf}"),
    *("rounds: " + "9" * 5000, "--- {}\n--- {}\n", "\t- x", "a: 'b"),
    *("[" * 10_000, "{a: " * 5_000, "rounds: 0x7fffffffffffffffffff", "? [a]\n: 1"),
    *("\x00", "rounds: 190:20:30:99:99:99:99:99:99:99", "rounds: !!binary aGk=", "2026-01-01: 1"),
    "dataset: {kind: upload, path: ../../etc/passwd}",
]

#: Endless or crafted pages.
CURSORS = [
    *("x", "%", "%00", "=" * 100, "A" * 10_000),
    *(
        b64encode(text).decode()
        for text in (b"p=yesterday", b"p=\x00", b"o=9" + b"9" * 30, b"r=1&p=' OR 1=1", b"\xff\xfe")
    ),
]

_NO_NAMES: list[Any] = ["", "a\x00b", [], {}, None, 7.5]
_NO_WORDS: list[Any] = ["", [], {}, None, {"$ne": ""}]
SIGN_INS: list[Any] = [
    *({"username": name, "password": "x"} for name in _NO_NAMES),
    *({"username": "admin", "password": word} for word in _NO_WORDS),
    {"username": "admin' OR '1'='1", "password": "' OR '1'='1"},
    {"username": "admin", "password": "x" * 900_000},
    {"username": "x" * 900_000, "password": "x"},
    {"username": "admin\r\nX: 1", "password": "x"},
    {"username": "*", "password": "*"},
    {},
    [],
]


def text_of(body: Any) -> str:
    """Return a body as JSON text, also what Python alone would not send."""
    return json.dumps(body, ensure_ascii=True)


def pickle_that_writes(path: Path) -> bytes:
    """Return a pickle that makes a file for whoever loads it."""
    return f"cbuiltins\nopen\n(S'{path}'\nS'w'\ntR.".encode()

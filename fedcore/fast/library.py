"""The C++ operators as a shared library: where it lies, how it is built, what it offers.

It is built on the machine that uses it, for exactly its processor, by ``python -m
fedcore.fast.library`` (``make setup`` does that); never at import and never while a run waits. A
machine without a compiler does without.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import structlog

from fedcore.environment import Folders

log = structlog.get_logger(__name__)

_NATIVE = Path(__file__).parent / "native"
SOURCES = tuple(_NATIVE / name for name in ("mlp.cpp", "mean.cpp"))
_HEADERS = tuple(_NATIVE / name for name in ("lanes.h", "dense.h", "usual.h"))
_COMPILERS = ("c++", "g++", "clang++")
_FLAGS = (
    "-std=c++17",
    "-O3",
    "-march=native",
    "-fPIC",
    "-shared",
    # What the loops need to be turned into fused multiply-adds; infinities and NaN stay correct.
    "-ffp-contract=fast",
    "-fno-math-errno",
    "-fno-trapping-math",
)
_BUILD_S = 120
_CPUINFO = Path("/proc/cpuinfo")

_Pointer = ctypes.c_void_p
_Int = ctypes.c_int64
StopFunction = ctypes.CFUNCTYPE(ctypes.c_int32)
_NETWORK = (_Pointer, _Int, _Int, _Int, _Pointer)  # widths, layers, batch, momentum, usual
_SETTINGS = (ctypes.c_float, ctypes.c_float, ctypes.c_float)  # lr, momentum, decay
_SUM = ctypes.POINTER(ctypes.c_double)
_ROWS = (_Pointer, _Pointer, _Pointer, _Int)  # x, y, rows, num_rows
_SIGNATURES: dict[str, tuple[tuple[Any, ...], Any]] = {
    "rh_mlp_work_size": (_NETWORK, _Int),
    "rh_mlp_begin": ((*_NETWORK, _Pointer, _Pointer), None),
    "rh_mlp_train": ((*_NETWORK, *_ROWS, *_SETTINGS, StopFunction, _SUM, _Pointer), _Int),
    "rh_mlp_outputs": ((*_NETWORK, _Pointer, _Int, _Pointer, _Pointer), None),
    "rh_mlp_end": ((*_NETWORK, _Pointer, _Pointer), None),
    "rh_mean_limit": ((), _Int),
    "rh_mean_scratch": ((_Int,), _Int),
    "rh_mean_in_tree": ((_Pointer, _Int, _Pointer, _Int, _Int, _Pointer, _Pointer), None),
}


class BuildError(Exception):
    """The operator could not be built; the reason is the message."""


def path_in(folders: Folders) -> Path:
    """Return where the library for these sources, compiler flags and processor lies."""
    key = hashlib.sha256()
    sources = (source.read_bytes() for source in (*SOURCES, *_HEADERS))
    for part in (*sources, repr(_FLAGS).encode(), _processor().encode()):
        key.update(part)
    return folders.cache / "native" / f"steps-{key.hexdigest()[:24]}.so"


def find(folders: Folders) -> ctypes.CDLL | None:
    """Return the library if it was built, else None."""
    path = path_in(folders)
    return _load(path) if path.exists() else None


def build(folders: Folders) -> Path:
    """Build the library unless it is there, and return where.

    Raises:
        BuildError: If there is no compiler, or it fails.
    """
    path = path_in(folders)
    if path.exists():
        return path
    compiler = _compiler()
    if compiler is None:
        raise BuildError(f"no C++ compiler found (looked for {', '.join(_COMPILERS)} and CXX)")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
            made = Path(scratch) / path.name
            _compile(compiler, made)
            made.replace(path)
    except OSError as error:
        raise BuildError(f"cannot write {path}: {error.strerror or error}") from error
    return path


def _compile(compiler: str, target: Path) -> None:
    command = [compiler, *_FLAGS, *map(str, SOURCES), "-o", str(target)]
    try:
        done = subprocess.run(  # noqa: S603  (a compiler of this machine on our own source)
            command, capture_output=True, text=True, timeout=_BUILD_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"{compiler} took longer than {_BUILD_S} s") from error
    if done.returncode != 0:
        raise BuildError(f"{compiler} failed: {done.stderr.strip()[-2000:]}")


def _compiler() -> str | None:
    wanted = os.environ.get("CXX")
    names = (wanted, *_COMPILERS) if wanted else _COMPILERS
    return next(filter(None, map(shutil.which, names)), None)


@cache
def _processor() -> str:
    """Return what decides which instructions the library may use."""
    try:
        lines = _CPUINFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    wanted = ("model name", "flags", "Features", "CPU part")
    return "\n".join(sorted({line for line in lines if line.startswith(wanted)}))


@cache
def _load(path: Path) -> ctypes.CDLL:
    library = ctypes.CDLL(str(path))
    for name, (arguments, result) in _SIGNATURES.items():
        function = getattr(library, name)
        function.argtypes, function.restype = arguments, result
    return library


def main() -> None:
    """Build the library and say how that went; a failure is no reason to stop an installation."""
    try:
        path = build(Folders.from_environment())
    except BuildError as error:
        sys.stderr.write(f"fast steps: not compiled, torch is used instead: {error}\n")
    else:
        sys.stderr.write(f"fast steps: compiled for this processor ({path})\n")


if __name__ == "__main__":
    main()

"""Write the lock files: every package with the SHA-256 of every file that the index has of it.

``constraints.txt`` says which versions; this adds the hashes, by pip-tools, from pip's own index.
``python -m supply.lock`` writes them all, in some minutes; ``make lock`` calls it.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "supply"
TOOLS = ROOT / ".supply" / "bin"
OURS = "roundhouse"
#: Each machine has a wheel of its own (CPU, CUDA), from an index of its own: pinned, not locked.
PER_MACHINE = re.compile(r"(torch|triton|nvidia-[\w-]+|cuda-[\w-]+)==")
#: What builds our own package.
BUILD = "setuptools"
#: Extras of the images, which install a part of what is tested.
IMAGES = ("web", "worker", "site")
HEADER = """\
# Written by `make lock`; do not edit. pip installs from it with --require-hashes --no-deps.
"""


def entries_of(text: str) -> dict[str, str]:
    """Return the entries of a lock by name, each with its hashes; only what can be locked."""
    parts = re.split(r"^(?=[\w.\[\]-]+(?:==| @))", text, flags=re.MULTILINE)
    found: dict[str, str] = {}
    for part in parts:
        name, is_pin, _ = part.partition("==")
        if is_pin and " @ " not in name and not PER_MACHINE.match(part):
            lines = (line for line in part.splitlines() if not line.startswith("#"))
            found[normal(name)] = "\n".join(line for line in lines if line.strip()) + "\n"
    return found


def normal(name: str) -> str:
    """Return a package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def _asked_for(name: str, extra: str) -> list[Requirement]:
    """Return what a package needs, ours as the file says, which may be newer than what is here."""
    if name == OURS:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        more = project["optional-dependencies"][extra] if extra else []
        return [Requirement(text) for text in (*project["dependencies"], *more)]
    found = [Requirement(text) for text in requires(name) or ()]
    return [r for r in found if r.marker is None or r.marker.evaluate({"extra": extra})]


def needed_by(extra: str) -> set[str]:
    """Return the names of all packages that an extra of ours needs on this machine."""
    waiting, seen = [(OURS, extra)], set[tuple[str, str]]()
    while waiting:
        name, wanted = waiting.pop()
        if (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        for requirement in _asked_for(name, wanted):
            child = normal(requirement.name)
            waiting += [(child, inner) for inner in ("", *requirement.extras)]
    return {name for name, _ in seen} - {OURS}


def compile_lock(target: Path, *arguments: str) -> dict[str, str]:
    """Resolve, write one lock file, and return its entries.

    Raises:
        CalledProcessError: If the index does not have what is asked for.
    """
    draft = target.with_suffix(".draft")
    subprocess.run(
        [
            *(str(TOOLS / "pip-compile"), "--quiet", "--generate-hashes", "--allow-unsafe"),
            *("--strip-extras", "--no-emit-options", "--no-header", "--no-annotate"),
            *("--output-file", str(draft), *arguments),
        ],
        cwd=ROOT,
        check=True,
    )
    found = entries_of(draft.read_text(encoding="utf-8"))
    draft.unlink()
    write(target, found)
    return found


def write(target: Path, entries: dict[str, str]) -> None:
    """Write a lock file."""
    target.write_text(HEADER + "".join(entries[name] for name in sorted(entries)), encoding="utf-8")
    sys.stdout.write(f"lock: {target.relative_to(ROOT)}, {len(entries)} packages\n")


def main() -> None:
    """Write every lock file."""
    tested = compile_lock(
        FOLDER / "dev.lock",
        *("--constraint", "constraints.txt", "--extra", "dev", "pyproject.toml"),
        "supply/build.in",
    )
    for image in IMAGES:
        names = needed_by(image) | {BUILD}
        write(FOLDER / f"{image}.lock", {n: e for n, e in tested.items() if n in names})
    compile_lock(FOLDER / "tools.lock", "supply/tools.in")


if __name__ == "__main__":
    main()

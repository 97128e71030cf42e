"""Where the project's own source files are, for the tests that read them."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("fedcore", "webapp", "workers")
PYTHON_FOLDERS = (*PACKAGES, "tests", "benchmarks", "changes")

_NOT_OURS = {"node_modules", "dist", "__pycache__", "migrations"}
_GENERATED = {"schema.d.ts"}


def _written_by_hand(path: Path) -> bool:
    return not _NOT_OURS.intersection(path.parts) and path.name not in _GENERATED


def python_files(*folders: str) -> Iterator[Path]:
    """Yield the Python files under the given folders, or under all of the project's."""
    for folder in folders or PYTHON_FOLDERS:
        yield from filter(_written_by_hand, sorted((ROOT / folder).rglob("*.py")))


def frontend_files() -> Iterator[Path]:
    """Yield the TypeScript files that somebody wrote."""
    for folder in ("src", "tests"):
        for pattern in ("*.ts", "*.tsx"):
            found = sorted((ROOT / "frontend" / folder).rglob(pattern))
            yield from filter(_written_by_hand, found)


def parse(path: Path) -> ast.Module:
    """Return the syntax tree of one file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def relative(path: Path) -> str:
    """Return a path as people write it."""
    return path.relative_to(ROOT).as_posix()


def pyproject() -> dict[str, object]:
    """Return the project's own description."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

"""Joins the fragments of this folder into CHANGELOG.md under a new version.

Usage: ``python changes/join.py 1.2.3`` (``make changelog VERSION=1.2.3``).
"""

import re
import sys
from datetime import UTC, date, datetime
from pathlib import Path

SECTIONS = ("added", "changed", "fixed")
FRAGMENT = re.compile(rf"^(\d+)\.({'|'.join(SECTIONS)})\.md$")
VERSION = re.compile(r"^\d+\.\d+\.\d+$")
MARK = "<!-- releases, newest first -->"


class FragmentError(Exception):
    """A file in ``changes/`` is not a fragment, or there is nothing to join."""


def fragments(folder: Path) -> dict[str, list[Path]]:
    """Return the fragments by section, each section in the order of their numbers.

    Raises:
        FragmentError: If a file has another name than ``<number>.<section>.md``.
    """
    found: dict[str, list[tuple[int, Path]]] = {section: [] for section in SECTIONS}
    for path in folder.glob("*.md"):
        if path.name == "README.md":
            continue
        match = FRAGMENT.match(path.name)
        if match is None:
            raise FragmentError(f"{path.name}: name it <number>.<{'|'.join(SECTIONS)}>.md")
        found[match[2]].append((int(match[1]), path))
    return {section: [path for _, path in sorted(paths)] for section, paths in found.items()}


def release(version: str, on: date, found: dict[str, list[Path]]) -> str:
    """Return the changelog's text of one version."""
    parts = [f"## {version} ({on.isoformat()})"]
    for section, paths in found.items():
        if paths:
            lines = [f"- {' '.join(path.read_text(encoding='utf-8').split())}" for path in paths]
            parts.append("\n".join([f"### {section.capitalize()}", "", *lines]))
    return "\n\n".join(parts)


def join(version: str, on: date, folder: Path, changelog: Path) -> None:
    """Write the release into the changelog and remove its fragments.

    Raises:
        FragmentError: If the version is not like ``1.2.3`` or there is no fragment.
    """
    if not VERSION.match(version):
        raise FragmentError(f"{version!r} is not a version; write VERSION=1.2.3")
    found = fragments(folder)
    if not any(found.values()):
        raise FragmentError("there is no fragment to join")
    before, mark, after = changelog.read_text(encoding="utf-8").partition(MARK)
    if not mark:
        raise FragmentError(f"{changelog.name} has lost its line {MARK}")
    text = f"{before}{mark}\n\n{release(version, on, found)}\n\n{after.lstrip()}"
    changelog.write_text(text.rstrip() + "\n", encoding="utf-8")
    for paths in found.values():
        for path in paths:
            path.unlink()


def main() -> int:
    """Join into the project's changelog; return the exit status."""
    folder = Path(__file__).resolve().parent
    try:
        version = sys.argv[1] if len(sys.argv) > 1 else ""
        join(version, datetime.now(UTC).date(), folder, folder.parent / "CHANGELOG.md")
    except FragmentError as error:
        print(f"changelog: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""List the licences of everything that is installed, and refuse what the project cannot use.

``python supply/licences.py`` prints what is not allowed; ``--write`` writes docs/licences.md.
"""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "licences.md"
LOCK = ROOT / "frontend" / "package-lock.json"
#: Licences that allow what we do: we link and serve the packages, and change none of them.
ALLOWED = (
    *("MIT", "BSD", "Apache", "ISC", "MPL", "Mozilla", "Python", "PSF", "HPND", "Unlicense"),
    *("CC0", "Zlib", "0BSD", "LGPL", "Lesser", "BlueOak", "CC-BY", "Public Domain", "CNRI"),
)
HEAD = """\
# Licences

Roundhouse is under Apache-2.0. These are the licences of what it is built from, as each package
states them; `make lock` writes this page. Nothing of it is changed or copied into the source.

"""


def python_rows() -> list[tuple[str, str, str]]:
    """Return name, version and licence of every Python package here, sorted."""
    rows = {
        d.metadata["Name"]: (d.metadata["Name"], _version(d), _licence(d))
        for d in distributions()
        if d.metadata["Name"] not in ("roundhouse", "pip")
    }
    return [rows[name] for name in sorted(rows, key=str.lower)]


def _version(distribution: Distribution) -> str:
    # The build for a machine (+cpu, +cu130) differs between machines, the licence does not.
    return distribution.version.partition("+")[0]


def _licence(distribution: Distribution) -> str:
    fields: Any = distribution.metadata  # an e-mail header, which the stubs know in part
    said = fields.get("License-Expression") or ""
    classified = [
        line.rpartition(" :: ")[2]
        for line in fields.get_all("Classifier") or []
        if line.startswith("License :: ")
    ]
    long = (fields.get("License") or "").strip()
    first = long.splitlines()[0] if long else ""
    found = said or " / ".join(c for c in classified if c != "OSI Approved") or first or "unknown"
    return re.sub(r"\s+", " ", found).replace("|", "/")[:80]


def node_rows() -> list[tuple[str, str, str]]:
    """Return the same of what the built front end is made from."""
    packages: dict[str, dict[str, Any]] = json.loads(LOCK.read_text(encoding="utf-8"))["packages"]
    rows = {
        (
            path.rpartition("node_modules/")[2],
            str(row["version"]),
            str(row.get("license", "unknown")),
        )
        for path, row in packages.items()
        if path and not row.get("dev") and "version" in row
    }
    return sorted(rows)


def page() -> str:
    """Return the page."""
    parts = [HEAD]
    for title, rows in (("Python", python_rows()), ("Front end", node_rows())):
        parts.append(f"## {title}\n\n| package | version | licence |\n| --- | --- | --- |\n")
        parts += [f"| {name} | {version} | {licence} |\n" for name, version, licence in rows]
        parts.append("\n")
    return "".join(parts).rstrip() + "\n"


def refused() -> list[str]:
    """Return the packages whose licence is unknown or not allowed."""
    return [
        f"{name} {version}: {licence}"
        for name, version, licence in (*python_rows(), *node_rows())
        if not any(word.lower() in licence.lower() for word in ALLOWED)
    ]


def main() -> int:
    """Write or check, and return the exit status."""
    if "--write" in sys.argv[1:]:
        PAGE.write_text(page(), encoding="utf-8")
    found = refused()
    for line in found:
        sys.stdout.write(f"licence not allowed: {line}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

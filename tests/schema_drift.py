"""Compares the committed OpenAPI description and TypeScript types with what the code says.

``make check`` runs it; ``make schema`` writes the files anew.
"""

import difflib
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OPENAPI = Path("docs/openapi.yaml")
TYPES = Path("frontend/src/api/schema.d.ts")
MAX_SHOWN = 40


def generate(scratch: Path) -> dict[Path, Path]:
    """Write both files into a scratch folder; return committed path -> generated path."""
    openapi, types = scratch / "openapi.yaml", scratch / "schema.d.ts"
    spectacular = ("spectacular", "--validate", "--fail-on-warn", "--file", str(openapi))
    subprocess.run([sys.executable, "manage.py", *spectacular], cwd=ROOT, check=True)
    subprocess.run(
        ["node_modules/.bin/openapi-typescript", str(openapi), "-o", str(types)],  # noqa: S607
        cwd=ROOT / "frontend",
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return {OPENAPI: openapi, TYPES: types}


def differences(committed: Path, generated: Path) -> list[str]:
    """Return the lines of a unified diff, none when the files are equal."""
    path = ROOT / committed
    old = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    new = generated.read_text(encoding="utf-8").splitlines()
    return [*difflib.unified_diff(old, new, str(committed), "from the code", lineterm="")]


def main() -> int:
    drifted = False
    with tempfile.TemporaryDirectory(prefix="roundhouse-schema-") as scratch:
        for committed, generated in generate(Path(scratch)).items():
            lines = differences(committed, generated)
            if lines:
                drifted = True
                print("\n".join(lines[:MAX_SHOWN]), file=sys.stderr)  # noqa: T201
                print(f"{committed} is not what the code says: run make schema", file=sys.stderr)  # noqa: T201
    return 1 if drifted else 0


if __name__ == "__main__":
    sys.exit(main())

"""Refuses what must not be committed: large files and private keys. A pre-commit hook runs it."""

import re
import sys
from pathlib import Path

MAX_BYTES = 1_000_000
PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE" rb" KEY-----")


def problems(paths: list[Path]) -> list[str]:
    """Return one line for each file that must stay out."""
    found = []
    for path in paths:
        if not path.is_file():
            continue  # deleted, or a link to nowhere
        size = path.stat().st_size
        if size > MAX_BYTES:
            found.append(f"{path}: {size:,} bytes; the limit is {MAX_BYTES:,}")
        elif PRIVATE_KEY.search(path.read_bytes()):
            found.append(f"{path}: holds a private key")
    return found


def main() -> int:
    found = problems([Path(name) for name in sys.argv[1:]])
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

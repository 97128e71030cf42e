"""Ask the registries for known vulnerabilities, and say so when one does not answer.

Exit status: 0 nothing known, 1 something is known or wrong, 2 a registry has not answered, so that
nobody can tell. A registry that is not reached is a finding of its own, never a pass.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from supply.lock import PER_MACHINE, normal

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("supply/dev.lock", "supply/tools.lock")
TOOLS = ROOT / ".supply" / "bin"
TIMEOUT_S = 300


@dataclass
class Outcome:
    """What one question came to."""

    asked: str
    checked: int = 0
    findings: list[str] = field(default_factory=list)
    unanswered: str = ""

    def __str__(self) -> str:
        """Return one line, and one more for each finding."""
        if self.unanswered:
            return f"{self.asked}: NOT ANSWERED: {self.unanswered}"
        words = f"{len(self.findings)} found" if self.findings else "nothing known"
        return "\n  ".join([f"{self.asked}: {self.checked} packages, {words}", *self.findings])


def pins(lock: Path) -> dict[str, tuple[str, int]]:
    """Return version and number of hashes by the normal name of each package of a lock file."""
    found: dict[str, tuple[str, int]] = {}
    name = ""
    for line in lock.read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if text.startswith("--hash=sha256:"):
            version, hashes = found[name]
            found[name] = (version, hashes + 1)
        elif "==" in text and not text.startswith("#"):
            name, _, rest = text.partition("==")
            name = normal(name)
            found[name] = (rest.split(maxsplit=1)[0].rstrip("\\;").strip(), 0)
    return found


def python_packages(lock: str) -> Outcome:
    """Ask PyPI's advisories about the packages of a lock file."""
    asked = f"pip-audit {lock}"
    done = _run(
        [
            *(str(TOOLS / "pip-audit"), "--requirement", lock, "--require-hashes"),
            *("--disable-pip", "--no-deps", "--format", "json", "--progress-spinner", "off"),
        ]
    )
    try:
        answer: Any = json.loads(done.stdout)["dependencies"]
    except (ValueError, LookupError, TypeError):
        return Outcome(asked, unanswered=_last_line(done.stderr))
    skipped = [row["name"] for row in answer if "skip_reason" in row]
    if skipped:
        reason = next(row["skip_reason"] for row in answer if "skip_reason" in row)
        return Outcome(asked, unanswered=f"{len(skipped)} of {len(answer)} packages: {reason}")
    findings = [
        f"{row['name']} {row['version']}: {found['id']}, fixed in {found['fix_versions']}"
        for row in answer
        for found in row["vulns"]
    ]
    return Outcome(asked, len(answer), findings)


def node_packages() -> Outcome:
    """Ask npm's advisories about the packages of the front end."""
    asked = "npm audit frontend/package-lock.json"
    done = _run(["npm", "audit", "--json", "--package-lock-only"], cwd=ROOT / "frontend")
    try:
        answer: Any = json.loads(done.stdout)
    except ValueError:
        return Outcome(asked, unanswered=_last_line(done.stderr))
    if "vulnerabilities" not in answer:
        reason = answer.get("message") or answer.get("error", {}).get("summary", "no advisories")
        return Outcome(asked, unanswered=str(reason))
    findings = [
        f"{name}: {row['severity']}, in {row['range']}"
        for name, row in answer["vulnerabilities"].items()
    ]
    return Outcome(asked, answer["metadata"]["dependencies"]["total"], findings)


def installed_packages() -> Outcome:
    """Compare what is installed with the lock file; this needs no registry."""
    locked = pins(ROOT / LOCKS[0])
    findings = [f"{name} has no hash" for name, (_, hashes) in locked.items() if not hashes]
    found = {normal(d.metadata["Name"]): d.version for d in distributions()}
    for name, version in sorted(found.items()):
        if name in ("pip", "roundhouse") or PER_MACHINE.match(f"{name}=="):
            continue
        wanted = locked.get(name, ("nothing", 0))[0]
        if version != wanted:
            findings.append(f"{name} {version} is installed, {wanted} is locked")
    return Outcome("installed as locked", len(found), findings)


def _run(command: list[str], cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, check=False, timeout=TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 2, "", f"{command[0]}: {error}")


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1][:300] if lines else "no answer"


def main() -> int:
    """Print what is known, and return the exit status."""
    outcomes = [
        *(python_packages(lock) for lock in LOCKS),
        node_packages(),
        installed_packages(),
    ]
    for outcome in outcomes:
        sys.stdout.write(f"{outcome}\n")
    if any(outcome.findings for outcome in outcomes):
        return 1
    if any(outcome.unanswered for outcome in outcomes):
        sys.stdout.write("audit: not complete; ask again where the registries can be reached\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

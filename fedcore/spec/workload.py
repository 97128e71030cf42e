"""Which runs take as long per round as each other."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from fedcore.spec.run import RunSpec

#: What changes the numbers of a run or its length, but not how long a round takes.
_IRRELEVANT: dict[str, Any] = {"seed": True, "rounds": True, "evaluation": {"target", "patience"}}


def workload(spec: RunSpec) -> str:
    """Return 16 hexadecimal digits, the same for specs whose rounds cost the same."""
    relevant = spec.model_dump(mode="json", exclude=_IRRELEVANT)
    canonical = json.dumps(relevant, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]

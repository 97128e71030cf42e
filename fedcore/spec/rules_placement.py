"""Rules about where a run is executed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fedcore.spec.problems import Problem
from fedcore.spec.rules import rule

if TYPE_CHECKING:
    from fedcore.spec.run import RunSpec

_FIX = "Set runtime.placement: local."


@rule
def rounds_can_be_shared_out(spec: RunSpec) -> Iterator[Problem]:
    """Workers fold what they train, so only what can be folded in parts is shared out."""
    if spec.runtime.placement != "workers":
        return
    if not spec.algorithm.takes_parts:
        message = f"{spec.algorithm.title} cannot share out a round over workers."
        yield Problem("runtime.placement", "contradiction", message, _FIX)
    elif not spec.topology.has_server:
        message = f"{spec.topology.title} has no server to which workers could send parts."
        yield Problem("runtime.placement", "contradiction", message, _FIX)
    if spec.aggregation.needs_individual_updates:
        message = (
            f"{spec.aggregation.title} compares all updates of a round with each other, so parts "
            "of it cannot be folded apart."
        )
        fix = f"{_FIX[:-1]}, or choose another aggregation."
        yield Problem("runtime.placement", "contradiction", message, fix)


@rule
def limit_is_for_workers(spec: RunSpec) -> Iterator[Problem]:
    """In one worker a round has no parts that could come too late."""
    if spec.runtime.round_limit_s is not None and spec.runtime.placement == "local":
        yield Problem(
            "runtime.round_limit_s",
            "contradiction",
            "Only a round that is shared out over workers can be closed early.",
            "Remove runtime.round_limit_s, or set runtime.placement: workers.",
        )

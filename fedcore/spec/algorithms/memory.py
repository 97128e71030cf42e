"""Methods whose server remembers the last update of every client."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from fedcore.spec.algorithms.base import ServerRateSpec
from fedcore.spec.base import BASIC


class _MemorySpec(ServerRateSpec):
    """The server keeps the last update of every client: clients x model, in its memory."""

    constraints: ClassVar[tuple[str, ...]] = (
        "aggregation must be mean, weighted by samples",
        "the server keeps one vector like the model per client",
    )
    needs_mean: ClassVar[bool] = True
    weighs_updates: ClassVar[bool] = True
    needs_individual_updates: ClassVar[bool] = True
    takes_parts: ClassVar[bool] = False
    vectors_per_client: ClassVar[int] = 1


class FedVarpSpec(_MemorySpec):
    """Absent clients are represented by their last update.

    That removes the noise of who happens to take part.
    """

    title: ClassVar[str] = "FedVARP"
    paper: ClassVar[str | None] = "Jhunjhunwala et al., UAI 2022, arXiv:2207.14130"
    synonyms: ClassVar[tuple[str, ...]] = ("fed varp", "variance reduced partial participation")
    fits_sites: ClassVar[bool] = True

    kind: Literal["fedvarp"] = "fedvarp"


class FedStaleSpec(_MemorySpec):
    """Fresh updates, weighted by how seldom a client takes part, mixed with remembered ones."""

    title: ClassVar[str] = "FedStale"
    paper: ClassVar[str | None] = "Rodio and Neglia, ECAI 2024, arXiv:2405.04171"
    synonyms: ClassVar[tuple[str, ...]] = ("fed stale", "stale updates")
    fits_sites: ClassVar[bool] = True

    kind: Literal["fedstale"] = "fedstale"
    beta: float = Field(
        0.5,
        ge=0,
        le=1,
        title="Weight of the memory (beta)",
        description="Weight of what is remembered; 0 ignores it, 1 is FedVARP. Smaller for alike "
        "data and very unequal participation.",
        json_schema_extra=BASIC,
    )
    objective: Literal["samples", "uniform"] = Field(
        "samples",
        title="What a client counts",
        description="Its share of the examples, or all alike.",
    )
    participation: Literal["sampling", "estimated"] = Field(
        "sampling",
        description="How often a client takes part: as the sampling says, if it draws all alike, "
        "or estimated from the rounds between its visits.",
    )

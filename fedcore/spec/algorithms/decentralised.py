"""Methods without a server: clients mix their models with those of their neighbours."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from fedcore.spec.algorithms.base import AlgorithmSpec
from fedcore.spec.base import BASIC


class GossipSpec(AlgorithmSpec):
    """Every client has a model of its own; what is tested is their average, and each by itself."""

    constraints: ClassVar[tuple[str, ...]] = (
        "topology must be ring, torus, complete or random",
        "every client takes part in every round",
        "aggregation must be mean; neighbours' weights come from the topology",
        "no compression, no attack, and models without running statistics",
    )
    example: ClassVar[dict[str, Any]] = {
        "sampling": {"kind": "full"},
        "topology": {"kind": "ring"},
    }
    needs_mean: ClassVar[bool] = True
    takes_parts: ClassVar[bool] = False  # models are mixed when all are there
    needs_individual_updates: ClassVar[bool] = True
    has_one_model: ClassVar[bool] = False
    is_decentralised: ClassVar[bool] = True
    vectors_per_client: ClassVar[int] = 2  # a client's model before and after the mixing

    rho: float = Field(
        0.01,
        ge=0,
        le=100,
        title="Look ahead (rho)",
        description="How far to look ahead before each step; 0 is decentralised FedAvg.",
        json_schema_extra=BASIC,
    )

    @property
    def needs_everyone(self) -> bool:
        """Whoever has a model works on it."""
        return True


class DfedSamSpec(GossipSpec):
    """Clients step along gradients that look ahead, then average with their neighbours once."""

    title: ClassVar[str] = "DFedSAM"
    paper: ClassVar[str | None] = "Shi et al., ICML 2023, arXiv:2302.04083"
    synonyms: ClassVar[tuple[str, ...]] = (
        "decentralized fedsam",
        "decentralised federated learning",
        "decentralized federated learning",
        "gossip learning",
    )

    kind: Literal["dfedsam"] = "dfedsam"


class DfedSamMgsSpec(GossipSpec):
    """DFedSAM with several gossip steps per round, which bring the clients closer together."""

    title: ClassVar[str] = "DFedSAM-MGS"
    paper: ClassVar[str | None] = "Shi et al., ICML 2023, arXiv:2302.04083"
    synonyms: ClassVar[tuple[str, ...]] = ("multiple gossip steps", "dfedsam mgs")
    vectors_per_client: ClassVar[int] = 3  # while a gossip step is made from the one before it

    kind: Literal["dfedsam-mgs"] = "dfedsam-mgs"
    gossip_steps: int = Field(
        4,
        ge=1,
        le=1000,
        description="Gossip steps per round; 1 is DFedSAM.",
        json_schema_extra=BASIC,
    )

    @property
    def exchanges(self) -> int:
        """How often a client exchanges models with each neighbour in a round."""
        return self.gossip_steps

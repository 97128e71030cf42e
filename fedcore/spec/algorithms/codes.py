"""Methods whose messages are no weights: seeds and scalars, or an order of edges."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from fedcore.spec.algorithms.base import AlgorithmSpec
from fedcore.spec.base import BASIC
from fedcore.spec.data import DatasetInfo
from fedcore.spec.models import ModelSpec

#: A step is listed as two bytes for its direction and four for its length; a sum has four.
STEP_BYTES, SUM_BYTES = 6, 4


class FedKSeedSpec(AlgorithmSpec):
    """All of a model is tuned with a few kilobytes per round, whatever its size.

    Clients try the model a little to either side of itself, along one of a fixed number of random
    directions, and report how the loss changed. Everybody rebuilds the model from one number per
    direction. The learning rate must be small: a step is as long as the square root of the number
    of parameters. The paper's FedKSeed-Pro, which prefers some directions, is not offered.
    """

    title: ClassVar[str] = "FedKSeed"
    paper: ClassVar[str | None] = "Qin et al., ICML 2024, arXiv:2312.06353"
    synonyms: ClassVar[tuple[str, ...]] = ("zeroth order", "k seeds", "mezo", "18 kilobytes")
    constraints: ClassVar[tuple[str, ...]] = (
        "local.steps must be given",
        "local.optimizer must be sgd without momentum and weight decay",
        "aggregation must be mean",
    )
    optimizers: ClassVar[tuple[str, ...]] = ("sgd",)
    allows_momentum: ClassVar[bool] = False
    allows_decay: ClassVar[bool] = False
    needs_mean: ClassVar[bool] = True
    needs_steps: ClassVar[bool] = True
    has_own_messages: ClassVar[bool] = True
    example: ClassVar[dict[str, Any]] = {"local": {"epochs": None, "steps": 200}}

    kind: Literal["fedkseed"] = "fedkseed"
    seeds: int = Field(
        4096,
        ge=1,
        le=65_536,
        title="Directions (seeds)",
        description="Number of directions; 1024 to 4096 is usual.",
        json_schema_extra=BASIC,
    )
    epsilon: float = Field(
        1e-3,
        gt=0,
        le=1,
        title="Step of the probe (epsilon)",
        description="How far to either side of the model the loss is tried.",
    )

    def message_bytes(
        self,
        model: ModelSpec,  # noqa: ARG002
        data: DatasetInfo,  # noqa: ARG002
        steps: int | None,
    ) -> tuple[int, int] | None:
        """Return the shorter of the steps and the sums up, and the sums down."""
        sums = self.seeds * SUM_BYTES
        return sums if steps is None else min(steps * STEP_BYTES, sums), sums


class FrlSpec(AlgorithmSpec):
    """Clients rank the edges of a network with fixed random weights; the server counts votes.

    The best edges of every layer make the model. A client can move each edge by its own vote and no
    further, so that a few malicious ones do little harm. Every client has one vote, whatever the
    number of its examples.
    """

    title: ClassVar[str] = "FRL"
    paper: ClassVar[str | None] = "Mozaffari et al., USENIX Security 2023, arXiv:2110.04350"
    synonyms: ClassVar[tuple[str, ...]] = (
        "federated rank learning",
        "every vote counts",
        "supermask",
        "edge popup",
    )
    constraints: ClassVar[tuple[str, ...]] = (
        "model must be linear, mlp, cnn or resnet with group norm",
        "aggregation must be mean, which the vote replaces",
    )
    needs_mean: ClassVar[bool] = True
    allows_frozen: ClassVar[bool] = False
    has_own_messages: ClassVar[bool] = True
    needs_masks: ClassVar[bool] = True

    kind: Literal["frl"] = "frl"
    keep: float = Field(
        0.5,
        gt=0,
        lt=1,
        title="Edges kept (keep)",
        description="Share of the edges of every layer that make the model.",
        json_schema_extra=BASIC,
    )

    def message_bytes(
        self,
        model: ModelSpec,
        data: DatasetInfo,
        steps: int | None,  # noqa: ARG002
    ) -> tuple[int, int] | None:
        """Return the rankings, the same each way, where the model tells the size of its layers."""
        layers = model.layer_edges(data)
        if layers is None:
            return None
        rankings = sum(ranking_bytes(edges) for edges in layers)
        return rankings, rankings


def rank_bits(edges: int) -> int:
    """Return the bits that the place of one of so many edges takes."""
    return max(1, (edges - 1).bit_length())


def ranking_bytes(edges: int) -> int:
    """Return the bytes of the order of so many edges."""
    return -(-edges * rank_bits(edges) // 8)

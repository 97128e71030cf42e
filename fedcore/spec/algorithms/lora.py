"""Methods that combine the LoRA factors of the clients."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from fedcore.spec.algorithms.base import AlgorithmSpec, ServerRateSpec

_ON_FACTORS: dict[str, Any] = {
    "dataset": {"kind": "banking77"},
    "model": {"kind": "huggingface", "path": "distilbert/distilbert-base-uncased"},
    "peft": {"kind": "lora"},
}


class FedItSpec(ServerRateSpec):
    """The factors of LoRA are averaged, A and B each for itself.

    The product of the means is not the mean of the products; how far they are apart can be
    measured.
    """

    title: ClassVar[str] = "FedIT"
    paper: ClassVar[str | None] = "Zhang et al., ICASSP 2024, arXiv:2305.05644"
    synonyms: ClassVar[tuple[str, ...]] = ("federated instruction tuning", "shepherd", "fed lora")
    constraints: ClassVar[tuple[str, ...]] = ("peft must be lora", "aggregation must be mean")
    needs_mean: ClassVar[bool] = True
    needs_lora: ClassVar[bool] = True
    example: ClassVar[dict[str, Any]] = _ON_FACTORS

    kind: Literal["fedit"] = "fedit"
    measure_bias: bool = Field(
        default=False,
        description="Measure how far the product of the mean factors is from the mean of their "
        "products; takes memory like the layers that have factors.",
    )


class FloraSpec(AlgorithmSpec):
    """The server stacks the factors of LoRA, which adds up their products exactly.

    The sum goes into the base model and every client starts the next round with new factors.
    Clients may have different ranks. The server sends the stacked factors that a client has
    missed, or the layers themselves where those are smaller.
    """

    title: ClassVar[str] = "FLoRA"
    paper: ClassVar[str | None] = "Wang et al., NeurIPS 2024, arXiv:2409.05976"
    synonyms: ClassVar[tuple[str, ...]] = ("stacking", "heterogeneous lora", "federated lora")
    constraints: ClassVar[tuple[str, ...]] = ("peft must be lora", "aggregation must be mean")
    needs_mean: ClassVar[bool] = True
    needs_lora: ClassVar[bool] = True
    allows_ranks: ClassVar[bool] = True
    has_own_messages: ClassVar[bool] = True
    example: ClassVar[dict[str, Any]] = _ON_FACTORS

    kind: Literal["flora"] = "flora"

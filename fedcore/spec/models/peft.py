"""Which part of a model is trained and sent; the rest is frozen."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints

from fedcore.spec.base import BASIC, Choice

#: Name of a module, or the end of one.
ModuleName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.\-]{1,200}$")]
Rank = Annotated[int, Field(ge=1, le=1024)]


class PeftSpec(Choice):
    """Which part of the model is trained and sent.

    Attributes:
        trains_all: Whether nothing is frozen.
        needs_head: Whether the model must have an output layer of its own.
        needs_modules: Whether it takes hold of the layers of a transformers model.
    """

    section: ClassVar[str] = "peft"
    trains_all: ClassVar[bool] = False
    needs_head: ClassVar[bool] = False
    needs_modules: ClassVar[bool] = False


class FullTrainingSpec(PeftSpec):
    """All parameters are trained and sent."""

    title: ClassVar[str] = "Full training"
    synonyms: ClassVar[tuple[str, ...]] = ("full fine-tuning", "no adapter")
    trains_all: ClassVar[bool] = True

    kind: Literal["none"] = "none"


class HeadSpec(PeftSpec):
    """Only the output layer is trained and sent; the rest of the model is frozen."""

    title: ClassVar[str] = "Output layer"
    paper: ClassVar[str | None] = "Sun et al. 2022, FedPEFT, arXiv:2210.01708"
    synonyms: ClassVar[tuple[str, ...]] = (
        "head",
        "linear probing",
        "last layer",
        "head tuning",
        "only the head",
        "the classifier head",
    )
    constraints: ClassVar[tuple[str, ...]] = ("needs a model with an output layer of its own",)
    needs_head: ClassVar[bool] = True

    kind: Literal["head"] = "head"


class BiasSpec(PeftSpec):
    """Only the biases and the output layer are trained and sent."""

    title: ClassVar[str] = "Biases"
    paper: ClassVar[str | None] = (
        "Sun et al. 2022, FedPEFT, arXiv:2210.01708; Ben Zaken et al. 2022, arXiv:2106.10199"
    )
    synonyms: ClassVar[tuple[str, ...]] = ("bitfit", "bias tuning", "bias-only")

    kind: Literal["bias"] = "bias"


class LoraSpec(PeftSpec):
    """Low-rank factors beside some linear layers are trained and sent, and a classifier's head.

    Every client uses the same scale, alpha divided by rank, whatever its own rank is. The base
    model is frozen, loaded once per process and never sent.
    """

    title: ClassVar[str] = "LoRA"
    paper: ClassVar[str | None] = "Hu et al., ICLR 2022, arXiv:2106.09685"
    synonyms: ClassVar[tuple[str, ...]] = ("low-rank adaptation", "low rank adapter", "adapter")
    constraints: ClassVar[tuple[str, ...]] = ("model must be huggingface",)
    needs_modules: ClassVar[bool] = True
    example: ClassVar[dict[str, Any]] = {
        "dataset": {"kind": "banking77"},
        "model": {"kind": "huggingface", "path": "distilbert/distilbert-base-uncased"},
    }

    kind: Literal["lora"] = "lora"
    rank: Rank = Field(8, description="Rank of the factors.", json_schema_extra=BASIC)
    alpha: float = Field(
        16.0,
        gt=0,
        le=65_536,
        description="Scale of the product: alpha / rank. Twice the rank is usual.",
        json_schema_extra=BASIC,
    )
    target_modules: tuple[ModuleName, ...] = Field(
        (),
        max_length=100,
        description="Layers that get factors, by the end of their name, such as query; all-linear "
        "takes every one. Empty takes those that are usual for the architecture.",
    )
    dropout: float = Field(0.0, ge=0, lt=1, description="Share of the factors' inputs left out.")
    ranks: tuple[Rank, ...] = Field(
        (),
        max_length=10_000,
        description="Ranks of the clients, in turn: client 0 has the first. Empty gives all the "
        "same rank.",
    )

    @property
    def scale(self) -> float:
        """Factor of the product of the factors."""
        return self.alpha / self.rank

    def rank_of(self, client_id: int) -> int:
        """Return a client's rank."""
        return self.ranks[client_id % len(self.ranks)] if self.ranks else self.rank

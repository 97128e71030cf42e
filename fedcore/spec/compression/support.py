"""Codecs that choose the entries that travel."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from fedcore.spec.base import BASIC
from fedcore.spec.compression.base import Shape, SupportCodecSpec

Ratio = Annotated[float, Field(gt=0, le=1, json_schema_extra=BASIC)]


class TopkSpec(SupportCodecSpec):
    """Send the largest entries only, and keep the rest for the next round."""

    title: ClassVar[str] = "Top-k"
    paper: ClassVar[str | None] = "Stich et al., NeurIPS 2018, arXiv:1809.07599"
    synonyms: ClassVar[tuple[str, ...]] = (
        "sparsification", "top k", "largest entries", "sparse", "largest values", "die größten",
        "größten Einträge", "plus grandes valeurs", "valeurs les plus grandes",
        "valores más grandes", "最大的", "稀疏化", "top", "Sparsifizierung", "esparsificación",
        "parcimonie",
    )  # fmt: skip
    support_depends_on_data: ClassVar[bool] = True

    kind: Literal["topk"] = "topk"
    ratio: Ratio = Field(0.01, description="Share of the entries that travel.")
    error_feedback: bool = Field(
        default=True, description="Keep what was left out on the client for its next round."
    )
    scope: Literal["tensor", "model"] = Field(
        "tensor", description="Choose within each tensor, or among all entries of the model."
    )

    @property
    def has_memory(self) -> bool:
        """Whether left-out entries are kept."""
        return self.error_feedback

    @property
    def is_global(self) -> bool:
        """Whether entries of all tensors compete."""
        return self.scope == "model"

    def num_kept(self, shape: Shape, round_index: int) -> int:  # noqa: ARG002
        """Return the share of the entries, at least one."""
        return share_of(math.prod(shape), self.ratio)


class RandkSpec(SupportCodecSpec):
    """Send random entries only, chosen by a seed, so that their places need no bytes.

    Without error feedback the entries are scaled up, so that the update is right on average; with
    it they are not, because both together diverge.
    """

    title: ClassVar[str] = "Random-k"
    paper: ClassVar[str | None] = "Stich et al., NeurIPS 2018, arXiv:1809.07599"
    synonyms: ClassVar[tuple[str, ...]] = (
        "random sparsification", "rand-k", "random mask", "random k", "random entries",
        "zufällige Einträge", "entrées aléatoires", "entradas aleatorias", "随机稀疏化",
    )  # fmt: skip
    message_bytes: ClassVar[int] = 8

    kind: Literal["randk"] = "randk"
    ratio: Ratio = Field(0.1, description="Share of the entries that travel.")
    error_feedback: bool = Field(
        default=False, description="Keep what was left out on the client, and do not scale up."
    )
    shared: bool = Field(
        default=True, description="All clients of a round send the same entries, not each its own."
    )

    @property
    def is_unbiased(self) -> bool:
        """Whether entries are scaled up."""
        return not self.error_feedback

    @property
    def has_memory(self) -> bool:
        """Whether left-out entries are kept."""
        return self.error_feedback

    def num_kept(self, shape: Shape, round_index: int) -> int:  # noqa: ARG002
        """Return the share of the entries, at least one."""
        return share_of(math.prod(shape), self.ratio)

    def place_bytes(self, size: int, kept: int) -> int:  # noqa: ARG002
        """Return 0: both sides draw the places from the seed in the message."""
        return 0


class DgcSpec(SupportCodecSpec):
    """Deep Gradient Compression: top-k of accumulated updates, with momentum on the client.

    Vectors, such as biases, are sent whole. The share falls to ``ratio`` over the warm-up.
    """

    title: ClassVar[str] = "Deep Gradient Compression"
    paper: ClassVar[str | None] = "Lin et al., ICLR 2018, arXiv:1712.01887"
    synonyms: ClassVar[tuple[str, ...]] = ("dgc", "momentum correction")
    constraints: ClassVar[tuple[str, ...]] = ("upload only", "no momentum on the server")
    support_depends_on_data: ClassVar[bool] = True

    kind: Literal["dgc"] = "dgc"
    ratio: Ratio = Field(0.001, description="Share of the entries that travel after the warm-up.")
    momentum: float = Field(0.9, ge=0, lt=1, description="Momentum of the accumulated updates.")
    nesterov: bool = Field(default=False, description="Look ahead, as Nesterov's momentum does.")
    factor_masking: bool = Field(
        default=True, description="Forget the momentum of entries that have been sent."
    )
    warmup_rounds: int = Field(
        4, ge=0, le=10_000, description="Rounds over which the share falls to ratio."
    )
    clip_norm: float | None = Field(
        None,
        gt=0,
        le=1e9,
        description="Longest update of a whole cohort, before it is accumulated; empty is any.",
    )

    @property
    def has_memory(self) -> bool:
        """True."""
        return True

    def ratio_in(self, round_index: int) -> float:
        """Return the share of a round: it falls in equal factors during the warm-up."""
        exponent = min(1.0, (round_index + 1) / (self.warmup_rounds + 1))
        return float(max(self.ratio**exponent, self.ratio))

    def num_kept(self, shape: Shape, round_index: int) -> int:
        """Return the share of the entries, rounded up; all of a vector."""
        size = math.prod(shape)
        if len(shape) <= 1:
            return size
        return min(size, max(1, math.ceil(size * self.ratio_in(round_index) - 1e-9)))


def share_of(size: int, ratio: float) -> int:
    """Return a share of ``size`` entries, to the nearest and at least one of any."""
    return min(size, max(1, math.floor(size * ratio + 0.5)))

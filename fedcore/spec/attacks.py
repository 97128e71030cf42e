"""Attacks by some of the clients: tests of a defence, in simulation only."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from fedcore.spec.base import BASIC, Choice, either, instead_of

Label = Annotated[int, Field(ge=0, le=1_000_000)]


class AttackSpec(Choice):
    """What some of the clients do to harm the run; it exists in simulation only."""

    section: ClassVar[str] = "attack"
    constraints: ClassVar[tuple[str, ...]] = ("simulation only",)

    fraction: float | None = Field(
        0.2,
        gt=0,
        le=1,
        description="Share of all clients that attack; empty when a count is given.",
        json_schema_extra=BASIC,
    )
    count: int | None = Field(
        None,
        ge=1,
        description="Number of attackers instead of a share.",
        json_schema_extra=instead_of("fraction"),
    )
    first_round: int = Field(0, ge=0, description="First round in which they attack.")
    last_round: int | None = Field(
        None, ge=0, description="Last round in which they attack; empty is the last of all."
    )

    @model_validator(mode="before")
    @classmethod
    def _count_replaces_fraction(cls, data: Any) -> Any:
        return either(data, "fraction", "count")

    def num_adversaries(self, clients: int) -> int:
        """Return how many of ``clients`` clients attack: to the nearest, at least one."""
        if self.count is not None:
            return min(self.count, clients)
        return min(clients, max(1, math.floor((self.fraction or 0.0) * clients + 0.5)))

    def labels(self) -> tuple[int, ...] | None:
        """Return the classes that the attack names; None if it needs no classes at all."""
        return None

    def is_active(self, round_index: int) -> bool:
        """Return whether there is an attack in a round."""
        is_over = self.last_round is not None and round_index > self.last_round
        return round_index >= self.first_round and not is_over


class LabelFlipSpec(AttackSpec):
    """Attackers train on wrong labels.

    ``targeted`` turns the labels of some classes into one; ``complement`` turns label y into the
    number of classes less y and one.
    """

    title: ClassVar[str] = "Label flipping"
    paper: ClassVar[str | None] = "Tolpegin et al., ESORICS 2020, arXiv:2007.08432"
    synonyms: ClassVar[tuple[str, ...]] = (
        "data poisoning", "wrong labels", "mislabelled", "flip labels", "flipped labels",
        "flips labels", "label flipping", "flipping labels", "poisoned labels", "fälscht Labels",
        "falsche Labels", "vertauschte Labels", "Labels vertauschen", "inverse les étiquettes",
        "étiquettes inversées", "invierte etiquetas", "etiquetas invertidas",
        "flip their labels", "poisoning labels", "poison labels", "翻转标签", "标签翻转",
    )  # fmt: skip
    constraints: ClassVar[tuple[str, ...]] = ("simulation only", "needs classes")

    kind: Literal["label_flip"] = "label_flip"
    mode: Literal["targeted", "complement"] = Field(
        "targeted", description="Turn some classes into one, or every class into its opposite."
    )
    sources: tuple[Label, ...] = Field(
        (1,), min_length=1, max_length=1000, description="Classes whose labels are changed."
    )
    target: Label = Field(7, description="Class that they become.")

    def labels(self) -> tuple[int, ...]:
        """Return sources and target, or nothing where all classes are concerned."""
        return (*self.sources, self.target) if self.mode == "targeted" else ()


class SignFlipSpec(AttackSpec):
    """Attackers send their update the other way round, and longer."""

    title: ClassVar[str] = "Sign flipping"
    paper: ClassVar[str | None] = "Gupta et al., ESORICS 2022, arXiv:2208.10273"
    synonyms: ClassVar[tuple[str, ...]] = (
        "reverse gradient", "gradient ascent", "byzantine", "flip signs", "flipping signs",
        "flip the sign", "flips signs", "reversed updates", "dreht das Vorzeichen",
        "Vorzeichen drehen", "inverse le signe", "invierte el signo", "翻转符号", "符号翻转",
    )  # fmt: skip

    kind: Literal["sign_flip"] = "sign_flip"
    scale: float = Field(
        5.0, gt=0, le=1e6, description="How many times longer; 1 only turns it round."
    )


class AdditiveNoiseSpec(AttackSpec):
    """Attackers add Gaussian noise to every number of their update."""

    title: ClassVar[str] = "Additive noise"
    paper: ClassVar[str | None] = "Gupta et al., ESORICS 2022, arXiv:2208.10273"
    synonyms: ClassVar[tuple[str, ...]] = (
        "gaussian attack", "noise attack", "random update", "send noise", "sends noise",
        "sending noise", "noisy updates", "Rauschen senden", "senden Rauschen",
        "envoient du bruit", "envían ruido", "噪声攻击",
    )  # fmt: skip

    kind: Literal["additive_noise"] = "additive_noise"
    std: float = Field(0.1, ge=0, le=1e6, description="Standard deviation of the noise.")
    mean: float = Field(0.0, ge=-1e6, le=1e6, description="Mean of the noise.")

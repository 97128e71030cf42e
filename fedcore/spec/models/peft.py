"""Which part of a model is trained and sent."""

from __future__ import annotations

from typing import ClassVar, Literal

from fedcore.spec.base import Choice


class PeftSpec(Choice):
    """Which part of the model is trained and sent."""

    section: ClassVar[str] = "peft"


class FullTrainingSpec(PeftSpec):
    """All parameters are trained and sent."""

    title: ClassVar[str] = "Full training"
    synonyms: ClassVar[tuple[str, ...]] = ("full fine-tuning", "no adapter")

    kind: Literal["none"] = "none"

"""The family of data sets, and what is known of one before it is read."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from pydantic import Field

from fedcore.spec.base import Choice
from fedcore.spec.tasks import InputKind, TaskName

NUMBER_BYTES = 4
TARGET_BYTES = 8

Length = Annotated[
    int,
    Field(
        ge=1,
        le=8192,
        description="Tokens per example; what is longer is cut, what is shorter is padded.",
    ),
]


def held_out(num_train: int, share: float) -> int:
    """Return how many of the training examples a validation split takes, at least one."""
    return min(num_train - 1, max(1, round(share * num_train))) if num_train > 1 else 0


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of a data set before it is read.

    Attributes:
        task: What is learnt from it.
        input_kind: What one example looks like.
        input_shape: ``(features,)``, ``(channels, height, width)`` or ``(tokens,)``.
        num_classes: Labels, target numbers, or tokens of which the next one is chosen.
        num_train: Training examples.
        num_test: Test examples.
        num_tokens: Size of the built-in tokenizer's vocabulary; 0 where inputs are not text.
        groups: Columns that tell which natural client an example belongs to.
    """

    task: TaskName
    input_kind: InputKind
    input_shape: tuple[int, ...]
    num_classes: int
    num_train: int
    num_test: int
    num_tokens: int = 0
    groups: tuple[str, ...] = ()

    @property
    def is_image(self) -> bool:
        """Whether an example is an image."""
        return self.input_kind is InputKind.IMAGE

    @property
    def size_bytes(self) -> int:
        """Bytes of all examples as tensors, rounded up where targets differ between tasks."""
        numbers = math.prod(self.input_shape)
        targets = numbers if self.task is TaskName.NEXT_TOKEN else 1
        return (self.num_train + self.num_test) * (numbers * NUMBER_BYTES + targets * TARGET_BYTES)


class DatasetSpec(Choice):
    """Where the examples come from."""

    section: ClassVar[str] = "dataset"

    max_train: int | None = Field(
        None, ge=1, description="Use only so many training examples, chosen at random."
    )
    max_test: int | None = Field(
        None, ge=1, description="Use only so many test examples, chosen at random."
    )

    validation: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Hold out this share of the training examples and test on them instead of on "
        "the test examples, which then stay unseen.",
    )

    def info(self) -> DatasetInfo | None:
        """Return what is known without reading the data, or None if too little is."""
        info = self.published()
        if info is None:
            return None
        num_train = min(info.num_train, self.max_train or info.num_train)
        num_test = info.num_test
        if self.validation is not None:
            num_test = held_out(num_train, self.validation)
            num_train -= num_test
        return replace(info, num_train=num_train, num_test=min(num_test, self.max_test or num_test))

    def outline(self) -> DatasetInfo | None:
        """Return what is known of the examples where how many there are may not be known.

        That is enough for the size of a model and of what travels.
        """
        return self.info()

    def published(self) -> DatasetInfo | None:
        """Return what is known of the whole data set, or None if too little is."""
        return None

    def known_task(self) -> TaskName | None:
        """Return what is learnt from the data, if that is known without reading them."""
        info = self.published()
        return None if info is None else info.task

    def known_input_kind(self) -> InputKind | None:
        """Return what an example looks like, if that is known without reading the data."""
        info = self.published()
        return None if info is None else info.input_kind

    def known_groups(self) -> tuple[str, ...]:
        """Return the columns that ``natural`` may divide by."""
        info = self.published()
        return () if info is None else info.groups

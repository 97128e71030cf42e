"""Published text data sets."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from fedcore.spec.data.base import DatasetInfo, DatasetSpec, Length
from fedcore.spec.tasks import InputKind, TaskName

#: Line feed, the 95 printable ASCII characters, and one token for every other character.
NUM_CHARACTERS = 97
#: Words that the vocabulary does not have share one token.
NUM_EXTRA_WORDS = 1


class ShakespeareSpec(DatasetSpec):
    """The plays as speeches of 299 roles: predict the next character; a role is a natural client.

    The last fifth of what each role says is the test split, as in LEAF. Unlike in LEAF, each
    character of an example is predicted from those before it, not only the last one. A Hugging
    Face model reads the same text through its own tokenizer.
    """

    title: ClassVar[str] = "Tiny Shakespeare"
    paper: ClassVar[str | None] = "Karpathy 2015; by role as in LEAF, arXiv:1812.01097"
    synonyms: ClassVar[tuple[str, ...]] = (
        "plays", "next character", "tiny shakespeare", "莎士比亚", "Theaterstücke",
    )  # fmt: skip
    example: ClassVar[dict[str, Any]] = {
        "partition": {"kind": "natural"},
        "model": {"kind": "char_lstm"},
    }

    kind: Literal["shakespeare"] = "shakespeare"
    length: Length = 80

    def published(self) -> DatasetInfo:
        """Return the sizes at the usual 80 characters per example, scaled to this length."""
        num_train, num_test = (round(at_80 * 80 / self.length) for at_80 in (10_424, 2_729))
        return DatasetInfo(
            TaskName.NEXT_TOKEN,
            InputKind.TEXT,
            (self.length,),
            NUM_CHARACTERS,
            max(1, num_train),
            max(1, num_test),
            num_tokens=NUM_CHARACTERS,
            groups=("role",),
        )


class Banking77Spec(DatasetSpec):
    """13,081 questions to a bank, each with one of 77 intents.

    Built-in models read the most frequent words of the training split, in lower case; a Hugging
    Face model reads the text through its own tokenizer.
    """

    title: ClassVar[str] = "Banking77"
    paper: ClassVar[str | None] = "Casanueva et al. 2020, arXiv:2003.04807"
    synonyms: ClassVar[tuple[str, ...]] = (
        "banking", "intents", "text classification", "bank questions", "banking questions",
        "Bankfragen", "questions bancaires", "preguntas bancarias", "银行问题",
    )  # fmt: skip
    example: ClassVar[dict[str, Any]] = {"model": {"kind": "dan"}}

    kind: Literal["banking77"] = "banking77"
    length: Length = 48
    vocabulary: int = Field(
        2000, ge=1, le=1_000_000, description="How many words the built-in tokenizer tells apart."
    )

    def published(self) -> DatasetInfo:
        """Return the sizes of the published splits."""
        return DatasetInfo(
            TaskName.CLASSIFICATION,
            InputKind.TEXT,
            (self.length,),
            77,
            10_001,
            3_080,
            num_tokens=self.vocabulary + NUM_EXTRA_WORDS,
        )

"""Tokenizers that are built in: characters, bytes and words.

Each is a fixed function, or follows from the training split alone, so that the same text gives the
same tokens everywhere. Positions without a token hold ``PADDING``, which is no token of any
vocabulary: a model masks it, and no embedding is spent on it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from fedcore.spec.data.text import NUM_CHARACTERS

PADDING = -1

_FIRST_PRINTABLE = 32
_LAST_PRINTABLE = 126
_NUM_BYTES = 256
#: Runs of letters and digits, with an apostrophe inside, or single other characters.
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*|[^\w\s]|_")


class Tokenizer(Protocol):
    """Turns text into numbers below ``size``."""

    @property
    def size(self) -> int:
        """Number of tokens in the vocabulary."""

    def encode(self, texts: Iterable[str]) -> Iterator[list[int]]:
        """Yield the bare tokens of each text, for text that goes on."""

    def encode_whole(self, texts: Iterable[str], length: int) -> Iterator[list[int]]:
        """Yield at most ``length`` tokens of each text, with what marks its start and end."""

    def to_json(self) -> dict[str, Any]:
        """Return what is needed to make the same tokenizer again."""


@dataclass(frozen=True)
class Characters:
    """One token per character: line feed, printable ASCII, and one for all others."""

    @property
    def size(self) -> int:
        """Number of tokens."""
        return NUM_CHARACTERS

    def encode(self, texts: Iterable[str]) -> Iterator[list[int]]:
        """Yield the tokens of each text, one per character."""
        for text in texts:
            yield [_character(code) for code in map(ord, text)]

    def encode_whole(self, texts: Iterable[str], length: int) -> Iterator[list[int]]:
        """Yield the first tokens of each text; nothing marks its start or end."""
        for tokens in self.encode(texts):
            yield tokens[:length]

    def to_json(self) -> dict[str, Any]:
        """Return the kind; there is nothing else to know."""
        return {"kind": "characters"}


def _character(code: int) -> int:
    if _FIRST_PRINTABLE <= code <= _LAST_PRINTABLE:
        return code - _FIRST_PRINTABLE + 1
    return 0 if code == ord("\n") else NUM_CHARACTERS - 1


@dataclass(frozen=True)
class Bytes:
    """One token per byte of UTF-8: short vocabulary, every language."""

    @property
    def size(self) -> int:
        """Number of tokens."""
        return _NUM_BYTES

    def encode(self, texts: Iterable[str]) -> Iterator[list[int]]:
        """Yield the tokens of each text, one per byte."""
        for text in texts:
            yield list(text.encode("utf-8", errors="replace"))

    def encode_whole(self, texts: Iterable[str], length: int) -> Iterator[list[int]]:
        """Yield the first tokens of each text; nothing marks its start or end."""
        for tokens in self.encode(texts):
            yield tokens[:length]

    def to_json(self) -> dict[str, Any]:
        """Return the kind; there is nothing else to know."""
        return {"kind": "bytes"}


@dataclass(frozen=True)
class Words:
    """One token per word or punctuation mark, in lower case; unknown words share the last token.

    Attributes:
        words: Known words; the position is the token.
        capacity: Most words that there may be; what ``size`` follows from, so that it is known
            before the data are read.
    """

    words: tuple[str, ...]
    capacity: int

    @classmethod
    def learn(cls, texts: Iterable[str], capacity: int) -> Words:
        """Return the tokenizer of the most frequent words, the alphabet deciding between equals."""
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(split_words(text))
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return cls(tuple(word for word, _ in ranked[:capacity]), capacity)

    @property
    def size(self) -> int:
        """Number of tokens, the one for unknown words included."""
        return self.capacity + 1

    def encode(self, texts: Iterable[str]) -> Iterator[list[int]]:
        """Yield the tokens of each text, one per word."""
        known = {word: token for token, word in enumerate(self.words)}
        for text in texts:
            yield [known.get(word, self.capacity) for word in split_words(text)]

    def encode_whole(self, texts: Iterable[str], length: int) -> Iterator[list[int]]:
        """Yield the first tokens of each text; nothing marks its start or end."""
        for tokens in self.encode(texts):
            yield tokens[:length]

    def to_json(self) -> dict[str, Any]:
        """Return the words and how many there may be."""
        return {"kind": "words", "words": list(self.words), "capacity": self.capacity}


def split_words(text: str) -> list[str]:
    """Return words and punctuation marks of a text in lower case."""
    return _WORD.findall(text.lower())


def tokenizer_from_json(data: Mapping[str, Any]) -> Tokenizer:
    """Return the tokenizer that ``to_json`` described.

    Raises:
        ValueError: If it describes none.
    """
    kind = data.get("kind")
    if kind == "characters":
        return Characters()
    if kind == "bytes":
        return Bytes()
    if kind == "words":
        return Words(tuple(data["words"]), int(data["capacity"]))
    if kind == "pretrained":
        # The module there is made of what is here.
        from fedcore.data.pretrained import PretrainedTokenizer, Published  # noqa: PLC0415

        return PretrainedTokenizer(Published.of(data["path"], data["revision"]))
    raise ValueError(f"there is no tokenizer {kind!r}")


def pad(sequences: Sequence[Sequence[int]], length: int) -> Tensor:
    """Return token sequences cut or padded to one length, shape (n, length), int32."""
    padded = np.full((len(sequences), length), PADDING, dtype=np.int32)
    for row, tokens in zip(padded, sequences, strict=True):
        kept = tokens[:length]
        row[: len(kept)] = kept
    return torch.from_numpy(padded)

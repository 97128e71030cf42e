"""A prompt as tokens that remember where they stood.

Letters are compared without case and accents. A hyphen, an underscore or a full stop inside a name
joins its parts, and letters part from digits, so that ``top-k`` is ``top k`` and ``CIFAR-10`` is
``cifar10``. Each Chinese character is a token of its own.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache


class TokenKind(Enum):
    WORD = "word"
    NUMBER = "number"
    MARK = "mark"


@dataclass(frozen=True)
class Token:
    """A piece of a prompt.

    Attributes:
        text: Lower case, without accents.
        kind: What it is.
        start: Place of its first character in the prompt.
        end: Place after its last character.
    """

    text: str
    kind: TokenKind
    start: int
    end: int


_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_REPLACED = {"ß": "ss", "œ": "oe", "æ": "ae", "–": "-", "—": "-", "−": "-", "×": "*", "’": "'"}
_CJK = "\u3400-\u9fff"
_PIECES = re.compile(
    rf"""
    (?P<number>
        \d{{1,3}}(?:,\d{{3}})+(?![\d,])(?:\.\d+)?(?:e[-+]?\d+)?
      | \d+(?:[.,]\d+)?(?:e[-+]?\d+)?
      | (?<![\w.])\.\d+(?:e[-+]?\d+)?
    )
  | (?P<word> [^\W\d_{_CJK}]+ | [{_CJK}] )
  | (?P<mark> \*\* | \S )
    """,
    re.VERBOSE,
)
_JOINERS = frozenset("-_.")


def fold(text: str) -> tuple[str, list[int]]:
    """Return the text without case and accents, and for each of its characters its old place."""
    folded: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        for new in _folded(char):
            folded.append(new)
            places.append(place)
    return "".join(folded), places


@lru_cache(maxsize=4096)
def _folded(char: str) -> str:
    if char in "⁰¹²³⁴⁵⁶⁷⁸⁹⁻":
        plain = char.translate(_SUPERSCRIPTS)
        return f"^{plain}" if char == "⁻" else plain
    char = _REPLACED.get(char, char)
    decomposed = unicodedata.normalize("NFKD", char.casefold())
    return "".join(part for part in decomposed if not unicodedata.combining(part))


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of a prompt, without the marks that only join the parts of a name."""
    folded, places = fold(text)
    found = []
    for match in _PIECES.finditer(folded):
        kind = TokenKind(match.lastgroup)
        start, end = match.span()
        if kind is TokenKind.MARK and _joins(folded, start):
            continue
        found.append(Token(match.group(), kind, places[start], places[end - 1] + 1))
    return found


def _joins(folded: str, place: int) -> bool:
    """Return whether the mark at ``place`` stands inside a name, such as ``top-k``."""
    if folded[place] == "'":
        return True
    if folded[place] not in _JOINERS or not 0 < place < len(folded) - 1:
        return False
    before, after = folded[place - 1], folded[place + 1]
    return (before.isalpha() or after.isalpha()) and before.isalnum() and after.isalnum()


def words_of(phrase: str) -> tuple[str, ...]:
    """Return a phrase of the vocabulary as the tokens that a prompt would have."""
    return tuple(token.text for token in tokens_of(phrase))

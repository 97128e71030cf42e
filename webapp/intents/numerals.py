"""Numbers in a prompt, in digits and in words: 2k, 5/6, 3e-5, two thirds, zwölf, 百分之十五."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from webapp.intents.number_words import (
    CHINESE_DIGITS,
    CHINESE_SCALES,
    NUMBER_WORDS,
    NumberWords,
    chinese_number,
)
from webapp.intents.text import Token, TokenKind

_CHINESE = frozenset(CHINESE_DIGITS) | frozenset(CHINESE_SCALES)
_HUNDRED = 100
#: What makes 一 a word rather than a number: in all, a little, together, alike.
_NO_ONE = frozenset("共下些起样般直定旦致")


class Style(Enum):
    PLAIN = "plain"
    FRACTION = "fraction"  # 5/6, two thirds: a share, whatever its size
    PERCENT = "percent"


@dataclass(frozen=True)
class Number:
    """A number, how it was written, and how many tokens it took."""

    value: float
    style: Style
    length: int


class NumberReader:
    """Reads numbers from tokens, in the words of one language and of English."""

    def __init__(self, language: str) -> None:
        self._language = language
        names = [language, "en"] if language in NUMBER_WORDS and language != "en" else ["en"]
        self._words = [NUMBER_WORDS[name] for name in names]

    def knows(self, word: str) -> bool:
        """Return whether a word belongs to numbers."""
        return any(
            word in words.small or word in words.scales or word in words.parts
            for words in self._words
        )

    def vocabulary(self) -> frozenset[str]:
        """Return the words that a misspelt number may be meant for."""
        return frozenset(word for words in self._words for word in (*words.small, *words.scales))

    def read(self, tokens: Sequence[Token], at: int) -> Number | None:
        """Return the number that begins at token ``at``, if one does."""
        token = tokens[at]
        if token.kind is TokenKind.NUMBER:
            return self._digits(tokens, at)
        if token.text in _CHINESE:
            return _chinese(tokens, at)
        found = [self._in_words(words, tokens, at) for words in self._words]
        return max((each for each in found if each), key=lambda each: each.length, default=None)

    def _digits(self, tokens: Sequence[Token], at: int) -> Number | None:
        value = self.parse_digits(tokens[at].text)
        texts = [token.text for token in tokens[at + 1 : at + 6]]
        if texts[:1] == ["/"] and len(texts) > 1 and tokens[at + 2].kind is TokenKind.NUMBER:
            below = self.parse_digits(texts[1])
            return Number(value / below, Style.FRACTION, 3) if below else None
        if texts[:1] == ["k"] and tokens[at + 1].start == tokens[at].end:
            return Number(value * 1000, Style.PLAIN, 2)
        if texts[:1] == ["万"]:
            return Number(value * 10_000, Style.PLAIN, 2)
        for words in self._words:
            scaled = _scaled(words, value, texts)
            if scaled is not None:
                return scaled
        if value == 1 and texts[:1] == ["in"] and tokens[at + 2 : at + 3]:
            total = self.read(tokens, at + 2)
            if total is not None and total.style is Style.PLAIN and total.value > 1:
                return Number(1 / total.value, Style.FRACTION, 2 + total.length)
        return _powered(value, tokens, at) or Number(value, Style.PLAIN, 1)

    def parse_digits(self, text: str) -> float:
        """Return the value of digits with a comma or a point, by the habits of the language."""
        mantissa, e, exponent = text.partition("e")
        whole, _, decimals = mantissa.partition(".")
        is_grouped = len(decimals) == 3 and whole not in ("", "0") and not e  # noqa: PLR2004
        if self._language in ("de", "es", "fr") and is_grouped and "," not in mantissa:
            return float(mantissa.replace(".", ""))
        whole, _, decimals = mantissa.partition(",")
        if len(decimals.partition(".")[0]) == 3 and whole not in ("", "0"):  # noqa: PLR2004
            mantissa = mantissa.replace(",", "")
        return float(mantissa.replace(",", ".") + e + exponent)

    def _in_words(self, words: NumberWords, tokens: Sequence[Token], at: int) -> Number | None:
        whole = words.whole.get(tokens[at].text) or _thousands(words, tokens[at].text)
        if whole is not None:
            return Number(whole, Style.PLAIN, 1)
        value, end = _whole(words, tokens, at)
        if value is None or (end == at + 1 and tokens[at].text in words.articles):
            return _article(words, tokens, at) or _decimals(words, 0, tokens, at)
        return _continued(words, value, tokens, at, end)


def _thousands(words: NumberWords, text: str) -> float | None:
    """Return a German number above a thousand, which is one word: zwölftausendfünfhundert."""
    above, scale, below = text.partition("tausend")
    if not scale or not above or "tausend" not in words.scales:
        return None
    count = words.small.get(above, 1 if above == "ein" else None)
    rest = words.small.get(below, None if below else 0)
    return None if count is None or rest is None else float(1000 * count + rest)


def _text(tokens: Sequence[Token], at: int) -> str:
    return tokens[at].text if at < len(tokens) else ""


def _scaled(words: NumberWords, value: float, texts: Sequence[str]) -> Number | None:
    """Return digits before a word for their scale or their part: 2 million, 3 quarters."""
    following = texts[0] if texts else ""
    if following in words.scales and words.scales[following] >= _HUNDRED:
        return Number(value * words.scales[following], Style.PLAIN, 2)
    if following in words.parts and following not in words.small:
        return Number(value / words.parts[following], Style.FRACTION, 2)
    return None


def _powered(value: float, tokens: Sequence[Token], at: int) -> Number | None:
    """Return digits in front of ^ or ** or * 10^, such as 10^-3."""
    place, base, factor = at + 1, value, 1.0
    if _text(tokens, place) in ("*", "x") and _text(tokens, place + 1) == "10":
        factor, base, place = value, 10.0, place + 2
    if _text(tokens, place) not in ("^", "**"):
        return None
    place += 1
    sign = -1 if _text(tokens, place) == "-" else 1
    place += sign == -1
    exponent = _text(tokens, place)
    if not exponent.isdigit() or len(exponent) > 2:  # noqa: PLR2004
        return None
    try:
        power = float(f"{base:g}") ** (sign * int(exponent))
    except (OverflowError, ZeroDivisionError):
        return None
    return Number(float(f"{factor * power:.12g}"), Style.PLAIN, place + 1 - at)


def _whole(words: NumberWords, tokens: Sequence[Token], at: int) -> tuple[int | None, int]:
    """Return the whole number in words at ``at`` and the token after it."""
    total, current, last, place, seen = 0, 0, 10**9, at, False
    while place < len(tokens):
        text = tokens[place].text
        if text in words.small and _can_add(words, current, last, words.small[text], seen):
            current, last = _added(words, current, words.small[text])
        elif text in words.scales and (seen or not _needs_article(text)):
            total, current, last = _multiplied(total, current, words.scales[text])
        elif seen and text in words.joiners and _joins(words, tokens, place, last):
            place += 1
            continue
        else:
            break
        seen, place = True, place + 1
    return (total + current, place) if seen else (None, at)


def _needs_article(scale: str) -> bool:
    """Return whether a scale is no number without something before it, unlike cien or hundert."""
    return scale in ("million", "millionen", "millon", "dozen", "docena", "douzaine", "dutzend")


def _can_add(words: NumberWords, current: int, last: int, value: int, seen: bool) -> bool:
    if not seen:
        return True
    if (current, value) == (4, 20) and "vingt" in words.small:
        return True  # quatre-vingts
    if last == 10 and "vingt" in words.small:  # noqa: PLR2004
        return value in range(7, 10)  # soixante-dix-sept
    if last in (60, 80) and "vingt" in words.small:
        return value < 20  # noqa: PLR2004
    return value < last and not (last < 20)  # noqa: PLR2004


def _added(words: NumberWords, current: int, value: int) -> tuple[int, int]:
    if (current, value) == (4, 20) and "vingt" in words.small:
        return 80, 80
    size = value if value < 20 else value // 10 * 10  # noqa: PLR2004
    return current + value, _HUNDRED if value >= _HUNDRED else size


def _multiplied(total: int, current: int, scale: int) -> tuple[int, int, int]:
    if scale in (12, _HUNDRED):
        return total, max(current, 1) * scale, scale
    return (total + max(current, 1) * scale), 0, scale


def _joins(words: NumberWords, tokens: Sequence[Token], place: int, last: int) -> bool:
    """Return whether a joiner goes on with the number: sixty *and* two does not in English."""
    following = words.small.get(_text(tokens, place + 1))
    if following is None:
        return False
    if "hundred" in words.scales:
        return last >= _HUNDRED and following < _HUNDRED and last != 10**9
    return 20 <= last < _HUNDRED and following < 20 and following < last  # noqa: PLR2004


def _article(words: NumberWords, tokens: Sequence[Token], at: int) -> Number | None:
    """Return what an article makes of a scale or a part: a dozen, ein Drittel, la mitad."""
    has_article = tokens[at].text in words.articles
    place = at + has_article
    following = _text(tokens, place)
    if has_article and following in words.only:
        return Number(1, Style.PLAIN, 2)
    if has_article and following in words.scales:
        value, end = _whole(words, [*tokens[:at], _one(words, tokens[at]), *tokens[place:]], at)
        return None if value is None else Number(value, Style.PLAIN, end - at)
    if following in words.parts and not _is_ordinal(words, tokens, place):
        length = place + 1 - at + (_text(tokens, place + 1) in ("parte", "part"))
        return Number(1 / words.parts[following], Style.FRACTION, length)
    return None


def _is_ordinal(words: NumberWords, tokens: Sequence[Token], place: int) -> bool:
    """Return whether "third" stands for an order, as in "the third client"."""
    return "hundred" in words.scales and place > 0 and tokens[place - 1].text in ("the", "every")


def _one(words: NumberWords, token: Token) -> Token:
    one = next(word for word, value in words.small.items() if value == 1)
    return Token(one, token.kind, token.start, token.end)


def _continued(
    words: NumberWords, value: int, tokens: Sequence[Token], at: int, end: int
) -> Number | None:
    """Return a whole number with what follows it: decimals, a part, a power of ten."""
    text = _text(tokens, end)
    if text in words.parts:
        if text == "half" and value != 1:
            return Number(value, Style.PLAIN, end - at)
        length = end + 1 - at + (_text(tokens, end + 1) in ("parte", "partes"))
        return Number(value / words.parts[text], Style.FRACTION, length)
    if text in words.one_in and value == 1:
        below, after = _whole(words, tokens, end + 1)
        if below and below > 1:
            return Number(1 / below, Style.FRACTION, after - at)
    if [text, _text(tokens, end + 1), _text(tokens, end + 2)] == ["and", "a", "half"]:
        return Number(value + 0.5, Style.PLAIN, end + 3 - at)
    powered = _power_in_words(words, value, tokens, at, end)
    return (
        powered or _decimals(words, value, tokens, end, at) or Number(value, Style.PLAIN, end - at)
    )


def _decimals(
    words: NumberWords, whole: int, tokens: Sequence[Token], place: int, at: int | None = None
) -> Number | None:
    """Return a number with its decimals read digit by digit: zero point zero five."""
    start = place if at is None else at
    if _text(tokens, place) not in words.point:
        return None
    digits, place = "", place + 1
    while 0 <= words.small.get(_text(tokens, place), -1) < _HUNDRED:
        digits += str(words.small[_text(tokens, place)])
        place += 1
    return Number(float(f"{whole}.{digits}"), Style.PLAIN, place - start) if digits else None


def _power_in_words(
    words: NumberWords, value: int, tokens: Sequence[Token], at: int, end: int
) -> Number | None:
    """Return "three times ten to the minus five"."""
    for phrase in words.power:
        after = end + len(phrase)
        if tuple(token.text for token in tokens[end:after]) != phrase:
            continue
        is_negative = _text(tokens, after) in words.minus
        exponent, after = _whole(words, tokens, after + is_negative)
        if exponent is not None and exponent < _HUNDRED:
            sign = "-" if is_negative else ""
            return Number(float(f"{value}e{sign}{exponent}"), Style.PLAIN, after - at)
    return None


def _chinese(tokens: Sequence[Token], at: int) -> Number | None:
    """Return a number in characters: 一百二十, 三分之二, 百分之十五, 零点五, 一半, 两成."""
    if _text(tokens, at) == "一" and _text(tokens, at + 1) == "半":
        return Number(0.5, Style.FRACTION, 2)
    is_word = _text(tokens, at) == "一" and _text(tokens, at + 1) in _NO_ONE
    first, place = (None, at) if is_word else _chinese_run(tokens, at)
    return None if first is None else _chinese_part(tokens, at, place, first)


def _chinese_part(tokens: Sequence[Token], at: int, place: int, first: float) -> Number:
    """Return a number that was read up to ``place``, or the share that it is the whole of."""
    if _text(tokens, place) == "成" and first in range(1, 10):
        return Number(first / 10, Style.PERCENT, place + 1 - at)
    if (_text(tokens, place), _text(tokens, place + 1)) != ("分", "之"):
        return Number(first, Style.PLAIN, place - at)
    above, after = _chinese_share(tokens, place + 2)
    if above is None or not first:
        return Number(first, Style.PLAIN, place - at)
    style = Style.PERCENT if first == _HUNDRED else Style.FRACTION
    return Number(above / first, style, after - at)


def _chinese_share(tokens: Sequence[Token], at: int) -> tuple[float | None, int]:
    if at < len(tokens) and tokens[at].kind is TokenKind.NUMBER:
        return float(tokens[at].text.replace(",", ".")), at + 1
    return _chinese_run(tokens, at)


def _chinese_run(tokens: Sequence[Token], at: int) -> tuple[float | None, int]:
    place = at
    while _text(tokens, place) in _CHINESE or (place > at and _text(tokens, place) == "点"):
        place += 1
    text = "".join(token.text for token in tokens[at:place])
    return chinese_number(text), place

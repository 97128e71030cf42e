"""A prompt as a row of items: numbers, names of the catalogue, words that join and deny."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from webapp.intents.lexicon import Lexicon, Meaning, Role, language_of, lexicon
from webapp.intents.number_words import ORDINALS
from webapp.intents.numerals import Style
from webapp.intents.text import Token, TokenKind, tokens_of

STOPS = frozenset(".;!?。；！？")
COMMAS = frozenset(",，、/|+")
_OPENING, _CLOSING = frozenset("{[("), frozenset("}])")
_BARE_NO = frozenset({"no", "non", "nein", "不", "nope"})
#: What stands between two that are compared.
_WITH = frozenset({"with", "to", "mit", "con", "avec", "a", "und", "y", "et"})
_MINUS = frozenset({"-", "minus", "moins", "menos", "负"})
#: Letters that papers write for settings.
_LETTERS = {
    "E": "local.epochs",
    "B": "local.batch_size",
    "K": "clients",
    "T": "rounds",
    "C": "sampling.fraction",
}
#: How many words of a prompt are read; the rest of a longer one is ignored by design of the API.
MAX_TOKENS = 600


@dataclass(frozen=True)
class Quantity:
    """One number, or several that were listed: ``0.3 and 0.03``."""

    values: tuple[float, ...]
    style: Style = Style.PLAIN
    unit: str | None = None

    @property
    def is_share(self) -> bool:
        """Whether it can be meant as a part of a whole."""
        return self.style is not Style.PLAIN

    @property
    def value(self) -> float:
        """The number, or the first of several."""
        return self.values[0]


@dataclass(frozen=True)
class Item:
    """One piece of meaning in a prompt.

    Attributes:
        text: The words, as they are compared.
        start: Place of the first character in the prompt.
        end: Place after the last.
        meanings: What it may mean; empty for a number, a mark and a word that means nothing.
        quantity: The number, if it is one.
        is_mark: Whether it is punctuation.
        clause: Number of the clause between commas that it stands in.
        sentence: Number of its sentence.
    """

    text: str
    start: int
    end: int
    meanings: tuple[Meaning, ...] = ()
    quantity: Quantity | None = None
    is_mark: bool = False
    clause: int = 0
    sentence: int = 0

    def find(self, role: Role) -> Meaning | None:
        """Return its meaning in this role, if it has one."""
        return next((meaning for meaning in self.meanings if meaning.role is role), None)

    def names(self, role: Role) -> tuple[str, ...]:
        """Return all of its names in this role."""
        return tuple(meaning.name for meaning in self.meanings if meaning.role is role)

    def is_operator(self, *names: str) -> bool:
        """Return whether it is one of these operators."""
        return any(name in names for name in self.names(Role.OPERATOR))


@dataclass(frozen=True)
class Reading:
    """A prompt and its items."""

    prompt: str
    language: str
    items: tuple[Item, ...]

    def text(self, start: int, end: int) -> str:
        """Return the words of the prompt between two places."""
        return self.prompt[start:end]

    def has(self, *operators: str) -> bool:
        """Return whether any of these operators occurs."""
        return any(item.is_operator(*operators) for item in self.items)


def read(prompt: str) -> Reading:
    """Return the items of a prompt."""
    tokens = tokens_of(prompt)[:MAX_TOKENS]
    language = language_of([token.text for token in tokens])
    words = lexicon(language)
    spelt = [_spelt(words, token) for token in tokens]
    items = _with_units(_items(words, spelt))
    items = _with_ordinals(_with_letters(prompt, items))
    items = _numbered(_with_corrections(_with_lists(items)))
    return Reading(prompt, language, tuple(items))


def _spelt(words: Lexicon, token: Token) -> Token:
    if token.kind is not TokenKind.WORD:
        return token
    return replace(token, text=words.corrected(token.text))


def _items(words: Lexicon, tokens: Sequence[Token]) -> list[Item]:
    texts = [token.text for token in tokens]
    found: list[Item] = []
    at = 0
    while at < len(tokens):
        length, meanings = words.match(texts, at)
        number = words.numbers.read(tokens, at)
        if number is not None and number.length >= length:
            length = number.length
            first = at - _is_negative(tokens, at)
            if first < at:
                found.pop()
            value = -number.value if first < at else number.value
            quantity = Quantity((float(value),), number.style)
            found.append(_item(tokens[first : at + length], quantity=quantity))
        elif length:
            found.append(_item(tokens[at : at + length], meanings))
        else:
            length = 1
            found.append(_item(tokens[at : at + 1]))
        at += length
    return found


def _is_negative(tokens: Sequence[Token], at: int) -> bool:
    """Return whether a minus stands before a number, rather than a dash between two parts."""
    if at == 0 or tokens[at - 1].text not in _MINUS:
        return False
    sign = tokens[at - 1]
    if sign.kind is TokenKind.WORD:
        return True
    is_free = at == 1 or tokens[at - 2].end < sign.start or tokens[at - 2].text in "=:("
    return sign.end == tokens[at].start and is_free


def _item(
    tokens: Sequence[Token], meanings: tuple[Meaning, ...] = (), quantity: Quantity | None = None
) -> Item:
    return Item(
        text=" ".join(token.text for token in tokens),
        start=tokens[0].start,
        end=tokens[-1].end,
        meanings=meanings,
        quantity=quantity,
        is_mark=len(tokens) == 1 and tokens[0].kind is TokenKind.MARK,
    )


def _with_units(items: list[Item]) -> list[Item]:
    """Return the items with units merged into the numbers before them."""
    found: list[Item] = []
    for item in items:
        unit = item.find(Role.UNIT)
        last = found[-1] if found else None
        if unit is None or last is None or last.quantity is None:
            found.append(item)
            continue
        found[-1] = replace(last, end=item.end, quantity=_in_unit(last.quantity, unit.name))
    return found


def _in_unit(quantity: Quantity, unit: str) -> Quantity:
    if unit == "percent":
        return Quantity(tuple(value / 100 for value in quantity.values), Style.PERCENT)
    name, _, factor = unit.partition(":")
    return replace(quantity, values=tuple(v * float(factor) for v in quantity.values), unit=name)


def _with_ordinals(items: list[Item]) -> list[Item]:
    """Return the items with "every third" as an interval of rounds or a share of the clients."""
    found = list(items)
    for at in range(1, len(items) - 1):
        which = ORDINALS.get(items[at].text)
        names = items[at + 1].names(Role.SETTING)
        if which is None or not _is_every(items[at - 1]):
            continue
        if "clients" in names:
            share = Quantity((1 / which,), Style.FRACTION)
            found[at] = replace(items[at], meanings=(), quantity=share)
        elif "rounds" in names:
            found[at] = replace(items[at], meanings=(), quantity=Quantity((float(which),)))
    return found


def _is_every(item: Item) -> bool:
    return item.is_operator("every") or item.text.endswith(" every")


def _with_letters(prompt: str, items: list[Item]) -> list[Item]:
    """Return the items with the capital letters that papers use: "E 5" is "E = 5"."""
    return [
        replace(item, meanings=(Meaning(Role.SETTING, _LETTERS[letter]),))
        if (letter := prompt[item.start : item.end]) in _LETTERS
        and place + 1 < len(items)
        and items[place + 1].quantity is not None
        else item
        for place, item in enumerate(items)
    ]


def _with_lists(items: list[Item]) -> list[Item]:
    """Return the items with numbers that are listed together as one."""
    found, at = [], 0
    while at < len(items):
        end = _end_of_list(items, at)
        if end - at > 1:
            listed = [item for item in items[at:end] if item.quantity]
            found.append(_joined(listed))
        else:
            found.append(items[at])
        at = end
    return found


def _end_of_list(items: list[Item], at: int) -> int:
    """Return the place after the list of numbers at ``at``; ``at + 1`` where there is none."""
    if items[at].quantity is None or (at > 1 and _is_correction(items[at - 2 : at])):
        return at + 1
    last, joined, place = at, False, at + 1
    is_comparison = any(item.is_operator("compare") for item in items[:at])
    while place < len(items):
        item = items[place]
        if item.quantity is not None and place > last + 1:
            last = place
            if joined and not _goes_on(items, place):
                break
        elif item.is_operator("and", "or", "versus") or (is_comparison and item.text in _WITH):
            joined = joined or (place + 1 < len(items) and items[place + 1].quantity is not None)
        elif not (item.is_mark and item.text in COMMAS):
            break
        place += 1
    if last == at or not (joined or _is_enclosed(items, at, last)):
        return at + 1
    return at + 1 if _is_two_settings(items, at, last) else last + 1


def _goes_on(items: list[Item], place: int) -> bool:
    """Return whether a list goes on after an "and" has been there already."""
    return place + 1 < len(items) and items[place + 1].is_operator("and", "or", "versus")


def _is_correction(before: list[Item]) -> bool:
    """Return whether "no, wait," stands here: what follows is one number, not several."""
    return any(item.is_operator("correct") or item.text in _BARE_NO for item in before)


def _is_enclosed(items: list[Item], first: int, last: int) -> bool:
    before = items[first - 1].text if first else ""
    after = items[last + 1].text if last + 1 < len(items) else ""
    return before in _OPENING and after in _CLOSING


def _is_two_settings(items: list[Item], first: int, last: int) -> bool:
    """Return whether the numbers belong to two names: "momentum 0.9 and 20 clients"."""
    if last - first > 2 or _is_enclosed(items, first, last):  # noqa: PLR2004
        return False
    before = [item for item in items[max(0, first - 2) : first] if item.find(Role.SETTING)]
    after = items[last + 1] if last + 1 < len(items) else None
    if not before or after is None or not after.find(Role.SETTING):
        return False
    return not set(before[-1].names(Role.SETTING)) & set(after.names(Role.SETTING))


def _joined(items: list[Item]) -> Item:
    values = tuple(value for item in items if item.quantity for value in item.quantity.values)
    last = items[-1].quantity or Quantity(values)
    text = " ".join(item.text for item in items)
    quantity = replace(last, values=_alike(items, last))
    return replace(items[0], text=text, end=items[-1].end, quantity=quantity)


def _alike(items: list[Item], last: Quantity) -> tuple[float, ...]:
    """Return the values, where only the last has the sign: "10, 20 and 30 %"."""
    values = []
    for item in items:
        quantity = item.quantity or last
        bare = last.style is Style.PERCENT and quantity.style is Style.PLAIN
        values += [value / 100 if bare else value for value in quantity.values]
    return tuple(values)


def _with_corrections(items: list[Item]) -> list[Item]:
    """Return the items with every "no" that takes something back told from one that denies."""
    found = []
    for place, item in enumerate(items):
        following = items[place + 1] if place + 1 < len(items) else None
        before = items[place - 1] if place else None
        if item.text in _BARE_NO and _takes_back(before, following):
            found.append(replace(item, meanings=(Meaning(Role.OPERATOR, "correct"),)))
        else:
            found.append(item)
    return found


def _takes_back(before: Item | None, following: Item | None) -> bool:
    if following is None or before is None:
        return False
    is_apart = following.is_mark and following.text in ",，:-"
    return is_apart or (before.is_mark and following.quantity is not None)


def _numbered(items: list[Item]) -> list[Item]:
    """Return the items with the numbers of their clauses and sentences."""
    clause = sentence = 0
    found = []
    for item in items:
        found.append(replace(item, clause=clause, sentence=sentence))
        if item.is_mark and item.text in STOPS:
            sentence += 1
            clause += 1
        elif item.is_mark and item.text in COMMAS | frozenset(":-"):
            clause += 1
    return found

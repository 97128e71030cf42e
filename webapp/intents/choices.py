"""Which kinds and values a prompt names, which of them it denies, takes back or compares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from webapp.intents.lexicon import Meaning, Role
from webapp.intents.reading import COMMAS, STOPS, Item, Reading

_NEAR = 2
_DENIAL_REACH = 5
#: Words that deny what follows at once, and nothing that is joined to it.
_BARE_NO = frozenset(
    {"no", "not", "never", "kein", "keine", "keinen", "nicht", "pas", "pas de", "不"}
)
#: What "10 % of all clients" has before a name, which is no choice then.
_OF = frozenset({"of", "der", "des", "的", "von", "to", "de", "los"})
_ARTICLES = frozenset(
    {"the", "any", "der", "die", "das", "den", "le", "la", "les", "l", "el", "los", "las"}
)
_ON = frozenset({"on", "auf", "sur", "en", "sobre", "con", "在"})
_TOWARDS = frozenset({"to", "into", "zu", "durch", "par", "por", "with", "in", "a", "by", "成"})


@dataclass(frozen=True)
class Mention:
    """A kind or a value in a prompt.

    Attributes:
        subject: What it decides: a section, or the path of a setting.
        choice: The kind, or the value.
        at: Place among the items.
        is_denied: Whether the prompt says no to it.
    """

    subject: str
    choice: str
    at: int
    is_denied: bool


def denied_places(reading: Reading) -> frozenset[int]:
    """Return the places of all names that a word of denial stands before."""
    found: set[int] = set()
    for place, item in enumerate(reading.items):
        if item.is_operator("not"):
            found.update(_denied_by(reading.items, place))
    return frozenset(found)


def _denied_by(items: Sequence[Item], place: int) -> Iterable[int]:
    """Yield the name that is denied, and those that an "and" joins to it after a verb."""
    reach = place + 1 + _DENIAL_REACH
    has_name = is_joined = False
    for at in range(place + 1, len(items)):
        item = items[at]
        if item.quantity is not None or (item.is_mark and item.text in STOPS | COMMAS):
            return
        if has_name and not is_joined:
            is_joined = item.is_operator("and", "or")
            if not is_joined or items[place].text in _BARE_NO or not _goes_on(items, at):
                return
        elif _is_name(item):
            yield at
            has_name, is_joined, reach = True, False, at + 1 + _DENIAL_REACH
        elif at >= reach:
            return


def _is_name(item: Item) -> bool:
    return bool(
        item.find(Role.KIND)
        or item.find(Role.VALUE)
        or item.find(Role.SETTING)
        or "attack" in item.names(Role.SECTION)
    )


def _goes_on(items: Sequence[Item], at: int) -> bool:
    """Return whether a second name follows an "and", and nothing else is said of it."""
    place = at + 1
    while place < len(items) and items[place].text in _ARTICLES:
        place += 1
    if place == len(items) or not _is_name(items[place]):
        return False
    rest = items[place + 1] if place + 1 < len(items) else None
    return rest is None or rest.quantity is None


def kind_mentions(reading: Reading, denied: frozenset[int]) -> list[Mention]:
    """Return every kind that the prompt names, in its order."""
    found = []
    for at in range(len(reading.items)):
        meaning = _meant(reading.items, at)
        if meaning is None or (meaning.name == "sampling/full" and _is_part(reading.items, at)):
            continue
        section, _, kind = meaning.name.partition("/")
        found.append(Mention(section, kind, at, at in denied))
    return found


def _meant(items: Sequence[Item], at: int) -> Meaning | None:
    """Return the kind that an item names, by the nouns around it where it has several."""
    options = [meaning for meaning in items[at].meanings if meaning.role is Role.KIND]
    if not options:
        return None
    if at and items[at - 1].quantity is not None and items[at].find(Role.SETTING):
        options = [option for option in options if not option.name.startswith("dataset/")]
    nouns = set(_sections_near(items, at))
    beside = [option for option in options if option.name.partition("/")[0] in nouns]
    strong = [
        option
        for option in options
        if not option.is_weak or (option.name.startswith("dataset/") and _follows_on(items, at))
    ]
    return next(iter([*beside, *strong]), None)


def _follows_on(items: Sequence[Item], at: int) -> bool:
    return at > 0 and items[at - 1].text in _ON


def _sections_near(items: Sequence[Item], at: int) -> Iterable[str]:
    for step in (1, -1):
        for place in range(at + step, at + step * (_NEAR + 1), step):
            if not 0 <= place < len(items) or items[place].is_mark:
                break
            yield from items[place].names(Role.SECTION)
            yield from _implied_sections(items[place])


def _implied_sections(item: Item) -> Iterable[str]:
    if "compress" in item.names(Role.VALUE):
        yield "compression"
    if "clients" in item.names(Role.SETTING):
        yield from ("partition", "sampling")
    for name in item.names(Role.KIND):
        if name in ("dataset/adult", "dataset/heart"):
            yield "dataset"


def _is_part(items: Sequence[Item], at: int) -> bool:
    return at > 0 and (items[at - 1].text in _OF or items[at - 1].quantity is not None)


def value_mentions(reading: Reading, denied: frozenset[int]) -> list[Mention]:
    """Return every value that the prompt names by a word, in its order."""
    found = []
    for at, item in enumerate(reading.items):
        for name in item.names(Role.VALUE):
            path, _, value = name.partition("=")
            found.append(Mention(path, value, at, at in denied))
    return found


@dataclass(frozen=True)
class Decision:
    """What the mentions of one subject amount to.

    Attributes:
        chosen: The mentions that hold, in order; several of them are to be compared.
        contradicts: Whether the prompt names several without saying what to do with them.
    """

    chosen: tuple[Mention, ...]
    contradicts: bool = False


def decide(reading: Reading, mentions: Sequence[Mention]) -> Decision:
    """Return what holds of the mentions of one subject."""
    kept: list[Mention] = []
    contradicts = False
    for mention in (each for each in mentions if not each.is_denied):
        if not kept:
            kept = [mention]
            continue
        between = reading.items[kept[-1].at + 1 : mention.at]
        if mention.choice in {each.choice for each in kept}:
            continue
        if any(item.is_operator("correct") for item in between) or _moves(between):
            kept, contradicts = [mention], False
        elif _is_compared(reading, between):
            kept.append(mention)
        elif len(between) > 1:
            contradicts = True
    return Decision(tuple(kept), contradicts)


def _moves(between: Sequence[Item]) -> bool:
    """Return whether the words lead from one to the other: "from FedProx to FedYogi"."""
    return len(between) == 1 and between[0].text in _TOWARDS - {"with", "in", "a", "by", "zu"}


def _is_compared(reading: Reading, between: Sequence[Item]) -> bool:
    if reading.has("compare", "versus"):
        return True
    return any(
        item.is_operator("and", "or", "versus") or (item.is_mark and item.text in COMMAS)
        for item in between
    )

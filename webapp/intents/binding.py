"""Which setting a number belongs to.

Every number is matched with the names around it. Names differ in the side on which their number
stands ("10 clients", but "learning rate 0.1"), and punctuation, other names and words between the
two make a match less likely. The cheapest matches win, each number and each name once.

Names that are no path: ``clients`` (all, or a share of them), ``cohort`` (those of a round),
``attackers``, ``seeds``, ``times``, ``until`` and ``target.*`` (goals), ``traffic``,
``share_of_data`` and ``field:*`` (a setting of some kind).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from webapp.intents.catalogue_fields import Setting, direct_settings, kind_settings
from webapp.intents.lexicon import Role
from webapp.intents.numerals import Style
from webapp.intents.reading import STOPS, Item, Quantity, Reading

#: Names whose number stands before them.
_COUNTED = frozenset(
    [
        "rounds",
        "clients",
        "cohort",
        "local.epochs",
        "local.steps",
        "seeds",
        "times",
        "evaluation.patience",
        "attackers",
        "system.dropout",
        "system.stragglers",
        "dataset.max_train",
        "dataset.max_test",
        "share_of_data",
        "field:bits",
        "field:classes_per_client",
        "field:ratio",
        "field:slowdown",
        "field:slow_fraction",
        "field:heads",
        "field:byzantine_count",
        "field:byzantine_fraction",
        "target.accuracy",
        "traffic",
    ]
)
#: Of these, the ones that are as often written the other way round.
_EITHER = frozenset(
    [
        "sampling.fraction",
        "target.accuracy",
        "rounds",
        "local.epochs",
        "local.batch_size",
        "runtime.deadline_s",
        "system.bandwidth_mbps",
        "system.dropout",
        "system.stragglers",
        "field:bits",
        "seed",
        "traffic",
        "field:classes_per_client",
    ]
)
#: Names of people, which take a number of them or a share.
ROLES = frozenset({"clients", "cohort", "attackers"})
SHARES = frozenset({"share_of_data", "until", "sampling.fraction"})
_UNITS = {
    "bytes": frozenset({"traffic"}),
    "mbps": frozenset({"system.bandwidth_mbps"}),
    "seconds": frozenset({"runtime.deadline_s", "system.latency_s"}),
}
OF_WORDS = frozenset(
    [
        "of",
        "out",
        "the",
        "von",
        "der",
        "des",
        "de",
        "d",
        "sur",
        "los",
        "las",
        "les",
        "aus",
        "unter",
        "parmi",
        "entre",
        "all",
        "our",
        "my",
        "total",
        "alle",
        "allen",
        "tous",
        "todos",
        "insgesamt",
    ]
)
#: Settings of kinds whose names are everyday words: they are meant only where their kind is.
_EVERYDAY_SETTINGS = frozenset(
    [
        *("keep", "seeds", "models", "channels", "buffer", "tick", "pull", "radius", "degree"),
        *("weights", "restart", "objective", "levels", "bucket", "nesterov", "smoothing", "length"),
        *("iterations", "clusters", "outliers", "revision", "embedding", "layers", "dropout"),
    ]
)
LIMIT = 10.0
_WORD, _COMMA, _STOP, _DASH, _NAME, _JOIN, _CORRECTION, _WRONG_SIDE = (
    1.0,
    4.0,
    12.0,
    2.0,
    3.0,
    4.0,
    9.0,
    2.5,
)


Kind = tuple[str, str]


@dataclass(frozen=True)
class Binding:
    """A number and the name that it belongs to.

    Attributes:
        name: The name, as in the vocabulary.
        quantity: The number or numbers.
        at: Place of the number among the items.
        named_at: Place of the name; None where the name was only implied.
        is_whole: Whether another number is a part of it, as of the 100 in "10 of 100 clients".
    """

    name: str
    quantity: Quantity
    at: int
    named_at: int | None
    is_whole: bool = False


def bind(reading: Reading, *, has_draft: bool, kinds: frozenset[Kind]) -> list[Binding]:
    """Return the numbers of a prompt with their names, in the order of the prompt.

    Args:
        reading: The prompt.
        has_draft: Whether it edits a draft.
        kinds: Kinds, each with its section, that the prompt names or the draft has.
    """
    items = reading.items
    numbers = [place for place, item in enumerate(items) if item.quantity is not None]
    totals = dict(_totals(items, numbers))
    candidates = sorted(
        (cost, abs(number - name), number, name, meaning)
        for number in numbers
        if number not in totals
        for name, meaning, cost in _candidates(items, number, has_draft=has_draft)
        if _is_at_hand(meaning, kinds)
    )
    bound: dict[int, Binding] = dict(totals)
    taken = {each.named_at for each in totals.values() if each.named_at is not None}
    for _, _, number, name, meaning in candidates:
        if number not in bound and name not in taken:
            quantity = items[number].quantity or Quantity((0.0,))
            bound[number] = Binding(meaning, quantity, number, name)
            taken.add(name)
    return [bound[number] for number in sorted(bound)]


def _is_at_hand(name: str, kinds: frozenset[Kind]) -> bool:
    """Return whether an everyday word can be the name of a setting here."""
    section, _, field = name.removeprefix("field:").rpartition(".")
    if section or not name.startswith("field:") or field not in _EVERYDAY_SETTINGS:
        return True
    return any((s.section, s.kind) in kinds for s in kind_settings().get(field, ()))


def _totals(items: Sequence[Item], numbers: Sequence[int]) -> Iterable[tuple[int, Binding]]:
    """Yield parts of a number of clients: the 10 in "10 of 100 clients"."""
    for first, second in pairwise(numbers):
        between = items[first + 1 : second]
        following = items[second + 1] if second + 1 < len(items) else None
        part, whole = items[first].quantity, items[second].quantity
        if not between or part is None or whole is None or whole.style is not Style.PLAIN:
            continue
        if not all(_is_of(item) for item in between) or following is None:
            continue
        if _is_ratio(items, first, second):
            share = Quantity((part.value / whole.value,), Style.FRACTION)
            yield first, Binding("sampling.fraction", share, first, None)
            yield second, Binding("part", whole, second, None)
        elif "clients" in following.names(Role.SETTING):
            yield first, Binding("cohort", part, first, None)
            yield second, Binding("clients", whole, second, second + 1, is_whole=True)


def _is_ratio(items: Sequence[Item], first: int, second: int) -> bool:
    """Return whether two numbers say how many take part of how many: "five out of six join"."""
    part, whole, following = items[first].quantity, items[second].quantity, items[second + 1]
    joins = "sampling" in following.names(Role.SECTION)
    return bool(part and whole and joins and 0 < part.value < whole.value)


def _is_of(item: Item) -> bool:
    return item.text in OF_WORDS or item.text in ("of the", "of them", "out of")


def _candidates(
    items: Sequence[Item], number: int, *, has_draft: bool
) -> Iterable[tuple[int, str, float]]:
    quantity = items[number].quantity
    if quantity is None:
        return
    for step in (1, -1):
        cost, place = 0.0, number + step
        while 0 <= place < len(items) and cost <= LIMIT:
            item = items[place]
            if item.quantity is not None:
                break
            for meaning in item.meanings:
                if meaning.role is Role.SETTING and _fits(
                    meaning.name, quantity, has_draft=has_draft
                ):
                    total = cost + _side(meaning.name, step) + _preference(meaning.name, quantity)
                    if total <= LIMIT:
                        yield place, meaning.name, total
            cost += _distance(item, step)
            place += step


def _side(name: str, step: int) -> float:
    """Return the cost of a number on the unusual side; ``step`` leads to the name."""
    if name in _EITHER:
        return 0.5 if (name in _COUNTED) == (step < 0) else 0.0
    usual = 1 if name in _COUNTED else -1
    return 0.0 if step == usual else _WRONG_SIDE


def _preference(name: str, quantity: Quantity) -> float:
    """Return a small cost for names that a better one should win against."""
    if name == "until":
        return 2.0
    if name in ROLES and not quantity.is_share and 0 < quantity.value < 1:
        return 4.0  # nobody counts clients in decimals
    if name.startswith("field:"):
        return 0.6  # a setting that every run has wins against one of a kind
    if name in ("times", "traffic") and quantity.unit is None:
        return 1.0
    return 0.0


def _distance(item: Item, step: int) -> float:
    if item.is_mark:
        return _mark_distance(item, step)
    if item.is_operator("correct"):
        return _CORRECTION
    if item.find(Role.SETTING) or item.find(Role.KIND) or item.find(Role.VALUE):
        return _NAME
    if item.is_operator("and", "or", "versus"):
        return _JOIN
    return _WORD


def _mark_distance(item: Item, step: int) -> float:
    if item.text in STOPS:
        return _STOP
    if item.text in ",，、":
        return _COMMA
    if item.text in "=:：":
        return -0.5 if step < 0 else _COMMA
    return _DASH if item.text == "-" else 0.5


def _fits(name: str, quantity: Quantity, *, has_draft: bool) -> bool:
    if quantity.unit is not None:
        return name in _UNITS.get(quantity.unit, frozenset())
    if name in ROLES or name == "traffic" or name.startswith("target."):
        return True
    if name in SHARES:
        return quantity.is_share or 0 < quantity.value <= 1 or name == "sampling.fraction"
    if name in ("seeds", "times"):
        return quantity.style is Style.PLAIN and quantity.value.is_integer()
    settings = _settings_named(name)
    return any(_fits_type(setting, quantity, has_draft=has_draft) for setting in settings)


def _settings_named(name: str) -> tuple[Setting, ...]:
    if not name.startswith("field:"):
        found = direct_settings().get(name)
        return (found,) if found else kind_settings().get(name.rpartition(".")[2], ())
    section, _, field = name.removeprefix("field:").rpartition(".")
    return tuple(s for s in kind_settings().get(field, ()) if section in ("", s.section))


def _fits_type(setting: Setting, quantity: Quantity, *, has_draft: bool) -> bool:
    if setting.type == "boolean" or (setting.type == "string" and not setting.options):
        return False
    if quantity.style is Style.PERCENT:
        return setting.is_share
    if quantity.style is Style.FRACTION:
        return setting.type == "number" or has_draft
    if setting.type in ("integer", "array"):
        return all(float(value).is_integer() for value in quantity.values)
    return setting.type == "number"

"""Numbers that no name belongs to: corrections, wholes, and the main setting of a kind."""

from __future__ import annotations

from collections.abc import Sequence

from webapp.intents.binding import OF_WORDS, ROLES, Binding
from webapp.intents.catalogue_fields import (
    Setting,
    direct_settings,
    principal_setting,
    setting_of,
)
from webapp.intents.choices import Mention
from webapp.intents.context import Context
from webapp.intents.lexicon import Role
from webapp.intents.reading import STOPS, Quantity

LOOSE_REACH = 4
PARTING = frozenset(":：,，、")  # a kind after one of these has nothing to do with a number before


def name_loose_numbers(
    context: Context, bound: set[int], bindings: Sequence[Binding]
) -> list[Binding]:
    """Return what numbers without a name stand for: a correction, or a kind's main setting."""
    found: list[Binding] = []
    for at, item in enumerate(context.reading.items):
        if item.quantity is None or at in bound:
            continue
        binding = _correction(context, at, item.quantity, [*bindings, *found])
        binding = binding or _whole(context, at, item.quantity, bindings)
        binding = binding or _principal(context, at, item.quantity)
        binding = binding or _listed_after(context, at, item.quantity, bindings)
        if binding is not None:
            found.append(binding)
    return found


def _correction(
    context: Context, at: int, quantity: Quantity, bindings: Sequence[Binding]
) -> Binding | None:
    before = [binding for binding in bindings if binding.at < at]
    if not before:
        return None
    last = max(before, key=lambda binding: binding.at)
    between = context.reading.items[last.at + 1 : at]
    if any(item.is_operator("correct", "but") for item in between):
        return Binding(last.name, quantity, at, None)
    return None


def _whole(
    context: Context, at: int, quantity: Quantity, bindings: Sequence[Binding]
) -> Binding | None:
    """Return all clients, of whom another number said how many take part: "out of 50"."""
    parts = [each for each in bindings if each.name in ("cohort", "attackers") and each.at < at]
    before = context.reading.items[at - 1].text if at else ""
    if parts and not quantity.is_share and before in OF_WORDS:
        return Binding("clients", quantity, at, None, is_whole=True)
    return None


def _listed_after(
    context: Context, at: int, quantity: Quantity, bindings: Sequence[Binding]
) -> Binding | None:
    """Return the last setting without a number: "does the batch size matter? 8 or 64"."""
    if len(quantity.values) == 1:
        return None
    taken = {each.named_at for each in bindings}
    settings = direct_settings()
    for place in range(at - 1, -1, -1):
        names = context.reading.items[place].names(Role.SETTING)
        name = next((n for n in names if n in settings or n in ROLES), None)
        if name is not None and place not in taken:
            return Binding(name, quantity, at, place)
    return None


def _principal(context: Context, at: int, quantity: Quantity) -> Binding | None:
    """Return the main setting of the kind beside a number: alpha in "Dirichlet 0.05"."""
    places = sorted(
        (place for place in range(len(context.reading.items)) if _is_near(context, at, place)),
        key=lambda place: (place > at, abs(place - at)),
    )
    for place in places:
        if "local.optimizer" in {n.partition("=")[0] for n in _values(context, place)}:
            return Binding("local.lr", quantity, at, None)
        mention = _mentioned(context, place)
        main = mention and _main_setting(mention.subject, mention.choice, quantity)
        if main:
            return Binding(f"field:{main.path}", quantity, at, None)
    return None


def _mentioned(context: Context, place: int) -> Mention | None:
    """Return the kind that an item names, be it the first or a further time that it is named."""
    names = context.reading.items[place].names(Role.KIND)
    held = [each for each in context.kinds if f"{each.subject}/{each.choice}" in names]
    return min(held, key=lambda each: each.at != place, default=None)


def _values(context: Context, place: int) -> tuple[str, ...]:
    return context.reading.items[place].names(Role.VALUE)


def _is_near(context: Context, at: int, place: int) -> bool:
    first, last = sorted((at, place))
    between = context.reading.items[first + 1 : last]
    blocked = any(
        item.quantity
        or (item.is_mark and item.text in (STOPS if place < at else STOPS | PARTING))
        or item.find(Role.SETTING)
        for item in between
    )
    return place != at and last - first <= LOOSE_REACH and not blocked


def _main_setting(section: str, kind: str, quantity: Quantity) -> Setting | None:
    main = principal_setting(section, kind)
    if main is None:
        return None
    if main.name.endswith("fraction") and not quantity.is_share and quantity.value >= 1:
        return setting_of(section, kind, main.name.replace("fraction", "count"))
    if quantity.is_share and not main.is_share:
        return None
    if main.type == "integer" and not all(v.is_integer() for v in map(float, quantity.values)):
        return None
    return main

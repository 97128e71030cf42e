"""Names without a number: what is denied, doubled, merely switched on, or unknown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from webapp.intents.binding import Binding
from webapp.intents.catalogue_fields import Setting, direct_settings
from webapp.intents.context import Context
from webapp.intents.fields import find_owner
from webapp.intents.findings import Assignment
from webapp.intents.kinds import DEFAULT_CHAIN, DEFAULT_MOMENTUM
from webapp.intents.lexicon import Role, lexicon
from webapp.intents.quantities import ask_privacy, imply_attack
from webapp.intents.reading import COMMAS, STOPS, Item, Quantity

_REACH = 6
_FACTORS = {"double": 2.0, "triple": 3.0, "halve": 0.5}
_NOUNS = ("dataset", "local.optimizer", "algorithm", "model")
_LABELS = {
    "dataset": "data set",
    "local.optimizer": "optimiser",
    "algorithm": "method",
    "model": "model",
    "attack": "attack",
}
_MIN_NAME = 3
#: Operators that can stand before a noun without being a name.
_JOINING = ("train", "compare", "every", "and", "or", "not", "but", "versus", "both", "correct")
#: What "every" has to stand before, if everybody is meant.
_ONE_CLIENT = frozenset(
    [
        *("client", "device", "hospital", "bank", "node", "user", "phone", "participant", "worker"),
        *("krankenhaus", "gerat", "teilnehmer", "participante", "cliente", "dispositivo"),
        *("appareil", "hopital", "site", "learner", "party"),
    ]
)
_FATES = ("system.stragglers", "system.dropout")


def understand_flags(context: Context, used: set[int]) -> None:
    """Understand every name that no number was found for."""
    used = used | _scale(context, used) | _with_and_without(context)
    _deny_attack(context)
    _take_everybody(context)
    for at, item in enumerate(context.reading.items):
        for name in item.names(Role.SETTING):
            if at in used:
                continue
            if at in context.denied:
                _deny(context, name, at)
            else:
                _switch_on(context, name, at, item)


def _deny_attack(context: Context) -> None:
    """Take the attack out of the draft where the prompt says no to it by its noun."""
    for at in context.denied:
        item = context.reading.items[at]
        if "attack" in item.names(Role.SECTION) and item.find(Role.KIND) is None:
            context.findings.assign("attack", None, context.span(at))


def _take_everybody(context: Context) -> None:
    """Let all clients take part where the prompt says so: "every hospital in every round"."""
    items = context.reading.items
    for at in range(1, len(items) - 1):
        is_everybody = items[at - 1].is_operator("every") and items[at].text in _ONE_CLIENT
        if (
            is_everybody
            and _is_each_round(items[at + 1])
            and "sampling" not in context.findings.kinds
        ):
            context.findings.kinds["sampling"] = Assignment(
                "sampling.kind", "full", "prompt", context.span(at - 1, at + 1)
            )


def _names(item: Item) -> tuple[str, ...]:
    return item.names(Role.SETTING)


def _is_each_round(item: Item) -> bool:
    words = set(item.text.split())
    return "cohort" in _names(item) and bool(words & {"every", "each", "jeder", "chaque", "cada"})


def _deny(context: Context, name: str, at: int) -> None:
    setting = direct_settings().get(name)
    span = context.span(at)
    if name == "until" or name.startswith("target."):
        context.findings.assign("evaluation.target", None, span)
    elif name == "attackers":
        context.findings.assign("attack", None, span)
    elif setting is not None and setting.is_nullable:
        context.findings.assign(name, None, span)
    elif (setting is not None and setting.is_share) or name == "local.weight_decay":
        context.findings.assign(name, 0, span)


def _switch_on(context: Context, name: str, at: int, item: Item) -> None:
    if name == "local.momentum" and not _is_about_server(context, at):
        if "local.momentum" not in context.findings.settings | context.findings.axes:
            value = context.current(name) or DEFAULT_MOMENTUM
            context.findings.assign(name, value, context.span(at), "rule")
            context.findings.evidence += 1
    elif name == "attackers" and item.find(Role.KIND) is None:
        if "attack" not in context.findings.settings:
            imply_attack(context, at)
    elif name == "privacy":
        context.findings.evidence += 1
        ask_privacy(context)
    elif name in _FATES and name not in context.findings.settings and _is_alone(context, at):
        context.findings.ask(name, "How many of the clients, in per cent?")


def _is_alone(context: Context, at: int) -> bool:
    """Return whether a clause has no number that could be meant."""
    return all(item.quantity is None for _, item in context.same_clause(at))


def _is_about_server(context: Context, at: int) -> bool:
    before = context.reading.items[max(0, at - 4) : at]
    has_method = any(mention.choice == "fedavgm" for mention in context.kinds)
    return has_method or any(item.text.startswith(("server", "serv")) for item in before)


# --- twice as many --------------------------------------------------------------------------------


def _scale(context: Context, used: set[int]) -> set[int]:
    """Multiply what the draft has: "twice as many rounds"; return the places that were used."""
    found = set()
    for at, item in enumerate(context.reading.items):
        factor = next((_FACTORS[n] for n in item.names(Role.OPERATOR) if n in _FACTORS), None)
        target = None if factor is None else _scaled_setting(context, at, used)
        if factor is None or target is None:
            continue
        place, setting = target
        current = context.current(setting.path)
        if isinstance(current, int | float) and not isinstance(current, bool):
            scaled = current * factor
            value = round(scaled) if setting.type == "integer" else float(f"{scaled:.12g}")
            context.findings.assign(setting.path, value, context.span(at, place))
            found.add(place)
    return found


def _scaled_setting(context: Context, at: int, used: set[int]) -> tuple[int, Setting] | None:
    items = context.reading.items
    places = [
        *range(at + 1, min(len(items), at + _REACH)),
        *range(at - 1, max(-1, at - _REACH), -1),
    ]
    for place in places:
        for name in items[place].names(Role.SETTING):
            if place in used:
                continue
            setting = _setting_named(context, name, place)
            if setting is not None:
                return place, setting
    return None


def _setting_named(context: Context, name: str, at: int) -> Setting | None:
    if name == "clients":
        return Setting("partition.clients", None, "integer")
    if name == "cohort":
        return Setting("sampling.count", None, "integer")
    if name.startswith("field:"):
        field = name.removeprefix("field:").rpartition(".")[2]
        owner = find_owner(context, "", field, Binding(name, Quantity((0.0,)), at, at))
        return None if owner is None or owner.section == "compression" else owner
    return direct_settings().get(name)


# --- with and without -----------------------------------------------------------------------------


def _with_and_without(context: Context) -> set[int]:
    """Compare a run that has something with one that has not."""
    for at, item in enumerate(context.reading.items):
        if not item.is_operator("with_without"):
            continue
        for place in range(at + 1, min(len(context.reading.items), at + _REACH)):
            if _compare_presence(context, context.reading.items[place], place):
                return {place}
    return set()


def _compare_presence(context: Context, item: Item, at: int) -> bool:
    findings, span = context.findings, context.span(at)
    names = {*item.names(Role.KIND), *item.names(Role.VALUE), *item.names(Role.SETTING)}
    is_codec = any(name.startswith("compression/") for name in names)
    if is_codec or names & {"compress", "field:bits"}:
        chain = findings.chains.pop("compression.uplink", None)
        links = [dict(DEFAULT_CHAIN)] if chain is None else chain.value
        findings.axes["compression.uplink"] = Assignment(
            "compression.uplink", [[], links], "prompt", span
        )
    elif "local.momentum" in names:
        value = findings.settings.pop("local.momentum", None)
        number = DEFAULT_MOMENTUM if value is None else value.value
        findings.axes["local.momentum"] = Assignment(
            "local.momentum", [0.0, number], "prompt", span
        )
    else:
        return False
    findings.evidence += 1
    return True


# --- names that nobody knows ----------------------------------------------------------------------


@dataclass(frozen=True)
class _Unknown:
    section: str
    at: int


def ask_for_unknown(context: Context) -> None:
    """Ask about data sets, methods and the like that the catalogue does not have."""
    for unknown in (*_listed(context), *_methods(context), *_beside_nouns(context)):
        item = context.reading.items[unknown.at]
        words = context.reading.text(item.start, item.end)
        label = _LABELS.get(unknown.section, unknown.section)
        context.findings.ask(
            unknown.section, f"I know no {label} called “{words}”. Which one shall it be?"
        )
        context.findings.evidence += 1


def _listed(context: Context) -> Iterable[_Unknown]:
    for at, item in enumerate(context.reading.items):
        for section in item.names(Role.UNKNOWN):
            if not _is_denied(context, at):
                yield _Unknown(section, at)


def _is_denied(context: Context, at: int) -> bool:
    return any(item.is_operator("not") for item in context.reading.items[max(0, at - 3) : at])


def _methods(context: Context) -> Iterable[_Unknown]:
    for at, item in enumerate(context.reading.items):
        looks_like_one = item.text.startswith("fed") and len(item.text) > len("fedxx")
        if looks_like_one and _is_name(context, item):
            yield _Unknown("algorithm", at)


def _beside_nouns(context: Context) -> Iterable[_Unknown]:
    """Yield words in the place of a name: the X data set, an X optimiser."""
    items = context.reading.items
    for at, item in enumerate(items):
        sections = [name for name in item.names(Role.SECTION) if name in _NOUNS]
        place = at - 1
        if not sections or place < 0 or not _is_name(context, items[place]):
            continue
        if item.text in ("dataset", "data set", "datensatz", "optimizer", "optimiser") and not (
            _has_kind(context, sections[0], at)
        ):
            yield _Unknown(sections[0], place)


def _is_name(context: Context, item: Item) -> bool:
    words = lexicon(context.reading.language)
    return (
        not any(meaning.role is not Role.OPERATOR for meaning in item.meanings)
        and not item.is_operator(*_JOINING)
        and item.quantity is None
        and len(item.text) >= _MIN_NAME
        and item.text.isalpha()
        and not words.is_common(item.text)
        and item.text not in STOPS | COMMAS
    )


def _has_kind(context: Context, section: str, at: int) -> bool:
    if section == "local.optimizer":
        return "local.optimizer" in context.findings.settings
    return any(abs(mention.at - at) <= _REACH for mention in context.named(section))

"""Numbers with their names, made into values of the spec."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from webapp.intents.binding import ROLES, Binding, bind
from webapp.intents.catalogue_fields import (
    Setting,
    direct_settings,
    find_kind,
    published_of,
    setting_of,
)
from webapp.intents.context import Context
from webapp.intents.fields import number_for, set_field, set_path, span_of
from webapp.intents.findings import Assignment
from webapp.intents.lexicon import Role
from webapp.intents.loose import LOOSE_REACH, name_loose_numbers
from webapp.intents.reading import Quantity

MAX_SEEDS = 100
MAX_LAYERS = 11
#: Shares of the clients that something befalls, with the setting that says how many.
_FATES = {
    "system.dropout": "system.dropout",
    "system.stragglers": "system.stragglers",
    "field:slow_fraction": "field:system.speed.slow_fraction",
}
_PERCENT_METRICS = frozenset({"accuracy", "micro_f1", "subset_accuracy"})


def understand_numbers(context: Context) -> set[int]:
    """Assign every number of the prompt; return the places of the names that they belong to."""
    bindings = bind(context.reading, has_draft=context.is_follow_up, kinds=context.kinds_at_hand())
    bindings = [_with_role(context, binding, bindings) for binding in bindings]
    loose = name_loose_numbers(context, {binding.at for binding in bindings}, bindings)
    repeated = _repeated(context, bindings)
    everything = sorted([*repeated, *loose], key=lambda binding: binding.at)
    last: dict[str, Binding] = {}
    for binding in everything:
        if not _is_taken_back(context, binding, last):
            _assign(context, binding)
    _report_unused(context, {binding.at for binding in everything} | _counts(context, repeated))
    return {binding.named_at for binding in everything if binding.named_at is not None}


# --- who is meant ---------------------------------------------------------------------------------


def _with_role(context: Context, binding: Binding, others: Sequence[Binding]) -> Binding:
    """Return a number of clients as what its clause says of them: attackers, a cohort."""
    if binding.name not in ROLES or binding.is_whole:
        return binding
    if _is_attack(context, binding.at) and not _is_about_all(context, binding, others):
        return _renamed(binding, "attackers")
    used = {other.named_at for other in others}
    if binding.quantity.is_share:
        fate = _fate(context, binding.at, used)
        if fate is not None:
            return _renamed(binding, fate)
    has_cohort = any(other.name == "cohort" for other in others)
    free = [] if has_cohort else context.in_clause(binding.at, "cohort")
    cohorts = [place for place in free if place not in used]
    if binding.name == "clients" and not binding.quantity.is_share and cohorts:
        nearest = min(cohorts, key=lambda place: abs(place - (binding.named_at or place)))
        if abs(nearest - (binding.named_at or nearest)) <= LOOSE_REACH and not _counts_other(
            context, binding, nearest
        ):
            return _renamed(binding, "cohort")
    return binding


def _is_about_all(context: Context, binding: Binding, others: Sequence[Binding]) -> bool:
    """Return whether another number of the clause says how many attack, as in "3 of whom lie"."""
    places = {place for place, _ in context.same_clause(binding.at)}
    has_attackers = any(each.name == "attackers" and each.at in places for each in others)
    return binding.name == "clients" and not binding.quantity.is_share and has_attackers


def _fate(context: Context, at: int, used: set[int | None]) -> str | None:
    """Return the setting of what befalls a share of the clients, if its clause says so."""
    if context.in_clause(at, "field:slowdown"):
        return _FATES["field:slow_fraction"]
    for fate, path in _FATES.items():
        if any(place not in used for place in context.in_clause(at, fate)):
            return path
    return None


def _counts_other(context: Context, binding: Binding, cohort: int) -> bool:
    """Return whether "per round" belongs to another number: "each trains 2 epochs a round"."""
    first, last = sorted((binding.named_at or cohort, cohort))
    between = context.reading.items[first + 1 : last]
    return any(item.find(Role.SETTING) or item.quantity for item in between)


def _is_attack(context: Context, at: int) -> bool:
    for _, item in context.same_clause(at):
        if "attackers" in item.names(Role.SETTING):
            return True
        if any(name.startswith("attack/") for name in item.names(Role.KIND)):
            return True
    return False


def _renamed(binding: Binding, name: str) -> Binding:
    return Binding(name, binding.quantity, binding.at, binding.named_at)


def _report_unused(context: Context, used: set[int]) -> None:
    for at, item in enumerate(context.reading.items):
        if item.quantity is not None and at not in used:
            words = context.reading.text(item.start, item.end)
            context.findings.warnings.append(
                f"I did not use “{words}”: I cannot tell what it counts."
            )


def _repeated(context: Context, bindings: Sequence[Binding]) -> list[Binding]:
    """Return the numbers, with a width as often as layers have it: "two hidden layers of 64"."""
    found = []
    for binding in bindings:
        count = _count_before(context, binding)
        times = 1 if count is None else int(count.value)
        values = binding.quantity.values * times
        found.append(replace(binding, quantity=replace(binding.quantity, values=values)))
    return found


def _count_before(context: Context, binding: Binding) -> Quantity | None:
    place = (binding.named_at or 0) - 1
    if binding.name != "field:hidden" or place < 0 or binding.at <= place:
        return None
    count = context.reading.items[place].quantity
    is_count = count is not None and count.value in range(1, MAX_LAYERS) and not count.is_share
    return count if is_count else None


def _counts(context: Context, bindings: Sequence[Binding]) -> set[int]:
    return {
        each.named_at - 1
        for each in bindings
        if each.named_at is not None and _count_before(context, each) is not None
    }


# --- values ---------------------------------------------------------------------------------------


def _is_taken_back(context: Context, binding: Binding, last: dict[str, Binding]) -> bool:
    """Keep two numbers for one name as values to compare; ask if nothing says so."""
    earlier = last.get(binding.name)
    last[binding.name] = binding
    if earlier is None or earlier.quantity == binding.quantity or binding.name == "rounds":
        return False
    between = context.reading.items[earlier.at + 1 : binding.at]
    if any(item.is_operator("correct", "but") for item in between):
        return False
    if any(item.is_operator("or", "versus") for item in between) and binding.name not in ROLES:
        joined = Quantity((*earlier.quantity.values, *binding.quantity.values))
        _assign(context, Binding(binding.name, joined, binding.at, binding.named_at))
        return True
    is_same_kind = earlier.quantity.is_share == binding.quantity.is_share
    if is_same_kind and not binding.name.startswith("field:"):
        words = " or ".join(_words(context, each) for each in (earlier, binding))
        context.findings.ask(_path_of(binding.name), f"Which number shall it be: {words}?")
    return False


def _words(context: Context, binding: Binding) -> str:
    item = context.reading.items[binding.at]
    return context.reading.text(item.start, item.end)


def _path_of(name: str) -> str:
    return {"clients": "partition.clients", "cohort": "sampling.count"}.get(name, name)


def _assign(context: Context, binding: Binding) -> None:
    special = _SPECIAL.get(binding.name)
    if special is not None:
        special(context, binding)
    elif binding.name.startswith("target."):
        _set_target(context, binding, binding.name.removeprefix("target."))
    elif binding.name.startswith("field:") or binding.name not in direct_settings():
        set_field(context, binding)
    else:
        set_path(context, direct_settings()[binding.name], binding)


def _set_clients(context: Context, binding: Binding) -> None:
    if binding.quantity.is_share or 0 < binding.quantity.value < 1:
        _set_cohort(context, binding)
    else:
        setting = Setting("partition.clients", None, "integer")
        set_path(context, setting, binding)


def _set_cohort(context: Context, binding: Binding) -> None:
    is_share = binding.quantity.is_share or 0 < binding.quantity.value < 1
    name = "fraction" if is_share else "count"
    kind = context.kind_of("sampling") or "random"
    if setting_of("sampling", kind, name) is None:
        if context.named("sampling"):
            title = find_kind("sampling", kind).title
            words = f"{title} leaves nobody out. How many clients shall take part in a round?"
            context.findings.ask("sampling", words)
            context.findings.kinds.pop("sampling", None)
            return
        context.findings.kinds["sampling"] = Assignment(
            "sampling.kind", "random", "rule", span_of(context, binding)
        )
    set_path(
        context, Setting(f"sampling.{name}", None, "number" if is_share else "integer"), binding
    )


def _set_fraction(context: Context, binding: Binding) -> None:
    if binding.quantity.is_share or binding.quantity.value <= 1:
        _set_cohort(context, binding)
    else:
        setting = Setting("sampling.fraction", None, "number")
        set_path(context, setting, binding)


def _set_attackers(context: Context, binding: Binding) -> None:
    is_share = binding.quantity.is_share or 0 < binding.quantity.value < 1
    setting = Setting(f"attack.{'fraction' if is_share else 'count'}", None, "number")
    values = [number_for(Setting("", None, "integer"), v) for v in binding.quantity.values]
    imply_attack(context, binding.at)
    rounded = Binding(binding.name, Quantity(tuple(values)), binding.at, binding.named_at)
    set_path(context, setting, rounded)


def imply_attack(context: Context, at: int) -> None:
    """Choose the attack that is meant where only attackers are spoken of."""
    if context.kind_of("attack") is None:
        context.findings.kinds["attack"] = Assignment(
            "attack.kind", "sign_flip", "rule", context.span(at)
        )


def _set_rounds(context: Context, binding: Binding) -> None:
    """Tell "every 5 rounds", an interval, from a number of rounds."""
    before = context.reading.items[binding.at - 1] if binding.at else None
    is_interval = before is not None and before.is_operator("every")
    path = "evaluation.every" if is_interval else "rounds"
    set_path(context, direct_settings()[path], binding)


def _set_seeds(context: Context, binding: Binding) -> None:
    span = span_of(context, binding)
    context.findings.evidence += 1
    if len(binding.quantity.values) > 1:
        values = [int(value) for value in binding.quantity.values]
        context.findings.axes["seed"] = Assignment("seed", values, "prompt", span)
    elif 1 <= binding.quantity.value <= MAX_SEEDS:
        context.findings.seeds = Assignment("seeds", int(binding.quantity.value), "prompt", span)
    else:
        context.findings.ask("seeds", f"How many seeds, from 1 to {MAX_SEEDS}?")


def _set_times(context: Context, binding: Binding) -> None:
    names = {name for item in context.reading.items for name in item.names(Role.SETTING)}
    if names & {"repeat", "seeds"}:
        _set_seeds(context, binding)
    else:
        _report_unused(context, set(range(len(context.reading.items))) - {binding.at})


def _set_until(context: Context, binding: Binding) -> None:
    names = [
        name.removeprefix("target.")
        for _, item in context.same_clause(binding.at)
        for name in item.names(Role.SETTING)
        if name.startswith("target.")
    ]
    _set_target(context, binding, names[0] if names else "accuracy")


def _set_target(context: Context, binding: Binding, metric: str) -> None:
    value = binding.quantity.value
    if metric in _PERCENT_METRICS and not binding.quantity.is_share and 1 < value <= 100:  # noqa: PLR2004
        value /= 100
    target = {"metric": metric, "value": value}
    context.findings.assign("evaluation.target", target, span_of(context, binding))


def _set_traffic(context: Context, binding: Binding) -> None:
    if binding.quantity.unit == "bytes":
        context.findings.max_bytes = binding.quantity.value
        context.findings.evidence += 1


def ask_privacy(context: Context) -> None:
    """Ask which promise is meant where a prompt only speaks of privacy."""
    words = "Which promise: differential privacy, and with which epsilon, or secure aggregation?"
    context.findings.ask("privacy", words)


def _set_share_of_data(context: Context, binding: Binding) -> None:
    kind = context.kind_of("dataset")
    info = published_of(kind or "digits")
    if info is None:
        context.findings.ask("dataset.max_train", "How many training examples shall be used?")
        return
    value = max(1, round(binding.quantity.value * info.num_train))
    setting = Setting("dataset.max_train", None, "integer")
    set_path(context, setting, Binding("", Quantity((value,)), binding.at, binding.named_at))


def _ignore(_: Context, __: Binding) -> None:
    """Do nothing with the second number of a ratio, which the first has taken in."""


_SPECIAL = {
    "part": _ignore,
    "clients": _set_clients,
    "cohort": _set_cohort,
    "sampling.fraction": _set_fraction,
    "sampling.count": _set_cohort,
    "attackers": _set_attackers,
    "rounds": _set_rounds,
    "seeds": _set_seeds,
    "times": _set_times,
    "until": _set_until,
    "traffic": _set_traffic,
    "share_of_data": _set_share_of_data,
}

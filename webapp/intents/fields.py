"""Settings, and whose they are: alpha may belong to a partition, a method or a data set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from webapp.intents.binding import Binding
from webapp.intents.catalogue_fields import Setting, find_kind, kind_settings, setting_of
from webapp.intents.context import Context
from webapp.intents.findings import Assignment, Span
from webapp.intents.kinds import imply_kind, set_codec
from webapp.intents.numerals import Style

_FAR = 5


def span_of(context: Context, binding: Binding) -> Span:
    """Return the words of a number, and of its name where that is close."""
    places = [binding.at] if binding.named_at is None else [binding.at, binding.named_at]
    near = max(places) - min(places) <= _FAR
    return context.span(*(places if near else [binding.at]))


def number_for(setting: Setting, value: float) -> Any:
    """Return a number in the type of its setting."""
    is_whole = setting.type in ("integer", "array") and float(value).is_integer()
    return int(value) if is_whole else value


def set_path(context: Context, setting: Setting, binding: Binding) -> None:
    """Set a path to the number, or compare the numbers if there are several."""
    values = [number_for(setting, value) for value in _absolute(context, setting, binding)]
    span = span_of(context, binding)
    if setting.type == "array":
        context.findings.assign(setting.path, values, span)
    elif len(values) > 1:
        unique = list(dict.fromkeys(values))
        context.findings.axes[setting.path] = Assignment(setting.path, unique, "prompt", span)
        context.findings.settings.pop(setting.path, None)
        context.findings.evidence += 1
    else:
        context.findings.assign(setting.path, values[0], span)


def _absolute(context: Context, setting: Setting, binding: Binding) -> list[float]:
    """Return the values; "half the learning rate" is half of what the draft has."""
    quantity, current = binding.quantity, context.current(setting.path)
    is_relative = (
        context.is_follow_up
        and quantity.style is Style.FRACTION
        and not setting.is_share
        and binding.named_at is not None
        and binding.named_at > binding.at
        and isinstance(current, int | float)
    )
    return [value * current for value in quantity.values] if is_relative else [*quantity.values]


def set_field(context: Context, binding: Binding) -> None:
    """Set a setting of whichever kind it belongs to."""
    path = binding.name.removeprefix("field:")
    section, _, name = path.rpartition(".")
    owner = find_owner(context, section, name, binding)
    if owner is None or owner.kind is None:
        return
    if owner.section == "compression":
        values = [number_for(owner, value) for value in binding.quantity.values]
        _set_codec_values(context, owner.kind, name, values, binding)
        return
    if _set_on_axis(context, owner, binding):
        return
    imply_kind(context, owner.section, owner.kind, binding.at)
    set_path(context, owner, binding)


def _set_codec_values(
    context: Context, kind: str, name: str, values: Sequence[Any], binding: Binding
) -> None:
    if len(values) == 1:
        set_codec(context, kind, name, values[0], binding.at)
        return
    context.findings.chains.clear()
    chains = [[{"kind": kind, name: value}] for value in values]
    span = span_of(context, binding)
    context.findings.axes["compression.uplink"] = Assignment(
        "compression.uplink", chains, "prompt", span
    )
    context.findings.evidence += 1


def _set_on_axis(context: Context, owner: Setting, binding: Binding) -> bool:
    """Give a number to the one kind of a comparison that it was said of."""
    axis = context.findings.axes.get(owner.section)
    if axis is None or len(binding.quantity.values) > 1:
        return False
    value = number_for(owner, binding.quantity.value)
    values = [
        each | {owner.name: value} if each["kind"] == owner.kind else each for each in axis.value
    ]
    context.findings.axes[owner.section] = Assignment(axis.path, values, "prompt", axis.span)
    return True


def find_owner(context: Context, section: str, name: str, binding: Binding) -> Setting | None:
    """Return the setting that a name such as alpha means here; ask if several could be meant."""
    candidates = [s for s in kind_settings().get(name, ()) if section in ("", s.section)]
    named = [
        (mention.at > binding.at, abs(mention.at - binding.at), setting)
        for setting in candidates
        for mention in context.named(setting.section)
        if setting.kind == mention.choice
    ]
    if named:
        return min(named, key=lambda found: found[:2])[2]
    current = [s for s in candidates if s.kind == context.kind_of(s.section)]
    if current:
        return min(current, key=lambda s: s.section != "partition")
    home = [s for s in candidates if setting_of(s.section, _draft_kind(context, s), name)]
    if home:
        taken = context.kind_of(home[0].section) or ""
        title = find_kind(home[0].section, taken).title
        context.findings.ask(home[0].path, f"{title} has no setting called {name}. Leave it out?")
        return None
    free = [s for s in candidates if not context.is_firm(s.section)]
    if not free and candidates:
        first = candidates[0]
        context.findings.ask(first.path, f"Which part of the run is {name} a setting of?")
        return None
    return next(iter(free), None)


def _draft_kind(context: Context, setting: Setting) -> str:
    return str(context.current(f"{setting.section}.kind"))

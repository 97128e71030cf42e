"""Kinds, values and flags: everything that a prompt chooses by name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from webapp.intents.catalogue_fields import (
    direct_settings,
    find_kind,
    kind_settings,
    principal_setting,
    setting_of,
)
from webapp.intents.choices import Mention, decide
from webapp.intents.context import Context, default_document
from webapp.intents.findings import Assignment
from webapp.intents.lexicon import Role
from webapp.intents.reading import Item

DEFAULT_MOMENTUM = 0.9
DEFAULT_CHAIN: dict[str, Any] = {"kind": "quantize", "bits": 8}
_WORDS = {"true": True, "false": False}
#: What becomes of the draft where a prompt says no to a promise.
_DENIED: dict[str, tuple[str, Any]] = {
    "privacy.dp.level": ("privacy.dp", None),
    "privacy.secure_aggregation": ("privacy.secure_aggregation", False),
}


def choose_kinds(context: Context, mentions: Sequence[Mention]) -> None:
    """Set the kind of every section that the prompt names, or make an axis of several."""
    for section in dict.fromkeys(mention.subject for mention in mentions):
        own = [mention for mention in mentions if mention.subject == section]
        if section == "compression":
            _choose_codecs(context, own)
            continue
        decision = decide(context.reading, own)
        if decision.contradicts:
            titles = ", ".join(dict.fromkeys(_title(section, m.choice) for m in own))
            context.findings.ask(f"{section}.kind", f"Which of these shall it be: {titles}?")
        if len(decision.chosen) > 1:
            _compare(context, section, decision.chosen)
        elif decision.chosen:
            _choose(context, section, decision.chosen[0])
        else:
            _deny(context, section, own)


def _number_in_name(context: Context, mention: Mention) -> tuple[str, int] | None:
    """Return the setting that a name gives with it, such as the depth of ResNet-20."""
    main = principal_setting(mention.subject, mention.choice)
    digits = re.findall(r"\d+", context.reading.items[mention.at].text)
    if main is None or not main.is_basic or main.type != "integer" or len(digits) != 1:
        return None
    return main.name, int(digits[0])


def _title(section: str, kind: str) -> str:
    return find_kind(section, kind).title or kind


def _choose(context: Context, section: str, mention: Mention) -> None:
    context.findings.evidence += 1
    span = context.span(mention.at)
    context.findings.kinds[section] = Assignment(f"{section}.kind", mention.choice, "prompt", span)
    named = _number_in_name(context, mention)
    if named is not None:
        context.findings.assign(f"{section}.{named[0]}", named[1], span)


def _compare(context: Context, section: str, chosen: Sequence[Mention]) -> None:
    context.findings.evidence += len(chosen)
    context.findings.axes[section] = Assignment(
        section,
        [{"kind": mention.choice} for mention in chosen],
        "prompt",
        context.span(*(mention.at for mention in chosen)),
    )


def _deny(context: Context, section: str, own: Sequence[Mention]) -> None:
    """Go back to the default where the draft has what the prompt does not want."""
    context.findings.evidence += 1
    denied = {mention.choice for mention in own}
    span = context.span(*(mention.at for mention in own))
    if section == "attack":
        context.findings.assign("attack", None, span)
        return
    if context.current(f"{section}.kind") not in denied:
        return
    default = _default_kind(section)
    if default in denied:
        titles = ", ".join(_title(section, kind) for kind in sorted(denied))
        context.findings.ask(f"{section}.kind", f"What shall it be instead of {titles}?")
        return
    context.findings.kinds[section] = Assignment(f"{section}.kind", default, "rule", span)


def _default_kind(section: str) -> str:
    value: Any = default_document()
    for part in section.split("."):
        value = value[part]
    return str(value["kind"])


# --- compression ----------------------------------------------------------------------------------


def _choose_codecs(context: Context, own: Sequence[Mention]) -> None:
    wanted = [mention for mention in own if not mention.is_denied]
    if not wanted:
        _clear_chains(context, own[0].at)
        return
    context.findings.evidence += len(wanted)
    if _alternatives(context, wanted):
        links = [[{"kind": kind}] for kind in dict.fromkeys(m.choice for m in wanted)]
        links = [[], *links] if _has_none(context) else links
        path = f"compression.{_directions(context, wanted[0].at)[0]}"
        span = context.span(*(mention.at for mention in wanted))
        context.findings.axes[path] = Assignment(path, links, "prompt", span)
        return
    for mention in wanted:
        for direction in _directions(context, mention.at):
            named = _number_in_name(context, mention)
            link = {"kind": mention.choice} | (dict([named]) if named else {})
            add_link(context, direction, link, mention.at, "prompt")


def _alternatives(context: Context, wanted: Sequence[Mention]) -> bool:
    """Return whether several codecs are to be compared rather than chained."""
    if len({mention.choice for mention in wanted}) < 2:  # noqa: PLR2004
        return False
    first, last = wanted[0].at, wanted[-1].at
    between = context.reading.items[first:last]
    return context.reading.has("compare", "versus") or any(i.is_operator("or") for i in between)


def _has_none(context: Context) -> bool:
    """Return whether "no compression" is one of those that are compared."""
    items = context.reading.items
    return any("compress" in _subjects(items[at]) for at in context.denied)


def _subjects(item: Item) -> set[str]:
    return {name.partition("=")[0] for name in item.names(Role.VALUE)}


def _directions(context: Context, at: int) -> list[str]:
    operators = [name for _, item in context.same_clause(at) for name in item.names(Role.OPERATOR)]
    if "both" in operators:
        return ["uplink", "downlink"]
    if "down" in operators:
        return ["uplink", "downlink"] if "up" in operators else ["downlink"]
    return ["uplink"]


def add_link(context: Context, direction: str, link: dict[str, Any], at: int, source: str) -> None:
    """Add a link to a chain; entries are chosen before their bits, in whatever order was said."""
    path = f"compression.{direction}"
    old = context.findings.chains.get(path)
    links: list[dict[str, Any]] = [] if old is None else list(old.value)
    if all(each["kind"] != link["kind"] for each in links):
        links.append(link)
    links.sort(key=lambda each: not _is_support(each["kind"]))
    span = context.span(at)
    context.findings.chains[path] = Assignment(path, links, source, span)


def _is_support(kind: str) -> bool:
    return bool(getattr(find_kind("compression", kind), "is_support", False))


def _clear_chains(context: Context, at: int) -> None:
    context.findings.evidence += 1
    for path in ("compression.uplink", "compression.downlink"):
        if path == "compression.uplink" or context.current(path):
            context.findings.chains[path] = Assignment(path, [], "prompt", context.span(at))


# --- values ---------------------------------------------------------------------------------------


def choose_values(context: Context, mentions: Sequence[Mention]) -> None:
    """Set what the prompt names by a word: an optimiser, a processor, a mode."""
    for path in dict.fromkeys(mention.subject for mention in mentions):
        own = [mention for mention in mentions if mention.subject == path]
        decision = decide(context.reading, own)
        if path == "compress":
            _compress(context, own)
        elif path in _DENIED and not decision.chosen:
            context.findings.evidence += 1
            context.findings.assign(*_DENIED[path], context.span(own[0].at))
        elif path == "local.optimizer" and not decision.chosen:
            _deny_value(context, path, own)
        elif len(decision.chosen) > 1:
            values = [_value(mention) for mention in decision.chosen]
            span = context.span(*(mention.at for mention in decision.chosen))
            context.findings.axes[path] = Assignment(path, values, "prompt", span)
            context.findings.evidence += 1
        elif decision.chosen:
            _set_value(context, path, decision.chosen[0])


def _value(mention: Mention) -> Any:
    return _WORDS.get(mention.choice, mention.choice)


def _compress(context: Context, own: Sequence[Mention]) -> None:
    context.findings.evidence += 1
    if all(mention.is_denied for mention in own):
        _clear_chains(context, own[0].at)
        return
    mention = next(each for each in own if not each.is_denied)
    if context.named("compression") or _names_codec_setting(context):
        return
    for direction in _directions(context, mention.at):
        add_link(context, direction, dict(DEFAULT_CHAIN), mention.at, "rule")


def _names_codec_setting(context: Context) -> bool:
    """Return whether a setting such as bits says which codec is meant."""
    return any(
        name in ("field:bits", "field:levels")
        for item in context.reading.items
        for name in item.names(Role.SETTING)
    )


def _deny_value(context: Context, path: str, own: Sequence[Mention]) -> None:
    context.findings.evidence += 1
    if context.current(path) in {mention.choice for mention in own}:
        setting = direct_settings()[path]
        other = next(o for o in setting.options if o not in {m.choice for m in own})
        context.findings.assign(path, other, context.span(own[0].at), "rule")


def _set_value(context: Context, path: str, mention: Mention) -> None:
    span = context.span(mention.at)
    if path in direct_settings():
        context.findings.assign(path, _value(mention), span)
        return
    section, _, name = path.rpartition(".")
    owners = [
        setting
        for setting in kind_settings().get(name, ())
        if section in ("", setting.section)
        and (not setting.options or mention.choice in setting.options)
    ]
    named = [s for s in owners if s.kind in {m.choice for m in context.named(s.section)}]
    current = [s for s in owners if s.kind == context.kind_of(s.section)]
    chosen = next(iter([*named, *current, *owners]), None)
    if chosen is None or chosen.kind is None:
        return
    if chosen.section == "compression":
        set_codec(context, chosen.kind, name, _value(mention), mention.at)
        return
    imply_kind(context, chosen.section, chosen.kind, mention.at)
    context.findings.assign(chosen.path, _value(mention), span)


def set_codec(context: Context, kind: str, name: str, value: Any, at: int) -> None:
    """Set one setting of a codec, which joins the chain if it is not there."""
    if setting_of("compression", kind, name) is None:
        return
    has_link = _is_compared(context, kind) or any(
        link["kind"] == kind for chain in context.findings.chains.values() for link in chain.value
    )
    if not has_link:
        _take_over_draft(context, kind)
        for direction in _directions(context, at):
            add_link(context, direction, {"kind": kind}, at, "prompt")
    context.findings.evidence += 1
    if _set_on_axis(context, kind, name, value):
        return
    for path, chain in context.findings.chains.items():
        links = [link | {name: value} if link["kind"] == kind else link for link in chain.value]
        context.findings.chains[path] = Assignment(path, links, "prompt", chain.span)


def _axis(context: Context) -> Assignment | None:
    paths = ("compression.uplink", "compression.downlink")
    return next((context.findings.axes[p] for p in paths if p in context.findings.axes), None)


def _is_compared(context: Context, kind: str) -> bool:
    axis = _axis(context)
    return axis is not None and any(link["kind"] == kind for chain in axis.value for link in chain)


def _set_on_axis(context: Context, kind: str, name: str, value: Any) -> bool:
    """Give a value to the one codec of a comparison that it was said of."""
    axis = _axis(context)
    if axis is None or not _is_compared(context, kind):
        return False
    chains = [
        [link | {name: value} if link["kind"] == kind else link for link in chain]
        for chain in axis.value
    ]
    context.findings.axes[axis.path] = Assignment(axis.path, chains, "prompt", axis.span)
    return True


def _take_over_draft(context: Context, kind: str) -> None:
    """Start from the draft's own chain where it has the codec whose setting is changed."""
    for path in ("compression.uplink", "compression.downlink"):
        chain = context.current(path) or []
        if any(link["kind"] == kind for link in chain):
            context.findings.chains[path] = Assignment(path, list(chain), "prompt")


def imply_kind(context: Context, section: str, kind: str, at: int) -> None:
    """Choose a kind because one of its settings was named."""
    if context.kind_of(section) != kind and not context.is_firm(section):
        context.findings.kinds[section] = Assignment(
            f"{section}.kind", kind, "rule", context.span(at)
        )

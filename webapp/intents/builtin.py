"""The built-in back end: no model, no network, the same answer every time."""

from __future__ import annotations

from typing import Any

from fedcore.spec import RunSpec
from webapp.intents.choices import decide, denied_places, kind_mentions, value_mentions
from webapp.intents.context import Context, default_document
from webapp.intents.drafting import draft
from webapp.intents.findings import Findings
from webapp.intents.flags import ask_for_unknown, understand_flags
from webapp.intents.gate import OFF_TOPIC, is_off_topic, refused_command
from webapp.intents.kinds import choose_kinds, choose_values
from webapp.intents.presenting import declined, present
from webapp.intents.quantities import understand_numbers
from webapp.intents.reading import Reading, read
from webapp.intents.results import IntentResult
from webapp.intents.searching import as_search, subjects_of

NAME = "builtin"


class BuiltinBackend:
    """Understands prompts by the catalogue and a grammar of quantities."""

    name = NAME

    def answer(self, prompt: str, current: RunSpec | None = None) -> IntentResult:
        """Return the draft that a prompt describes, or that it makes of the current one."""
        reading = read(prompt)
        refusal = refused_command(reading)
        if refusal is not None:
            return declined(refusal, NAME)
        context = _context(reading, current)
        _understand(context)
        subjects = subjects_of(context)
        context.findings.evidence += len(subjects)
        if is_off_topic(context):
            return declined(OFF_TOPIC, NAME)
        base = {} if current is None else current.model_dump(mode="json")
        result = present(context, draft(context.findings, base), current, NAME)
        return as_search(result, subjects, context.findings) if subjects else result


def _context(reading: Reading, current: RunSpec | None) -> Context:
    denied = denied_places(reading)
    mentions = kind_mentions(reading, denied)
    held: list[Any] = []
    for section in dict.fromkeys(mention.subject for mention in mentions):
        own = [mention for mention in mentions if mention.subject == section]
        chosen = own if section == "compression" else decide(reading, own).chosen
        held += [mention for mention in chosen if not mention.is_denied]
    base = default_document() if current is None else current.model_dump(mode="json")
    return Context(reading, base, current is not None, denied, tuple(held), Findings())


def _understand(context: Context) -> None:
    choose_kinds(context, kind_mentions(context.reading, context.denied))
    choose_values(context, value_mentions(context.reading, context.denied))
    used = understand_numbers(context)
    understand_flags(context, used)
    ask_for_unknown(context)

"""What all steps of understanding a prompt share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fedcore.spec import RunSpec
from webapp.intents.choices import Mention
from webapp.intents.findings import Findings, Span
from webapp.intents.lexicon import Role
from webapp.intents.reading import Item, Reading

#: Words that describe how data are divided, whichever kind does it.
_DESCRIPTIONS = frozenset(
    ["non iid", "noniid", "heterogeneous", "skewed", "nicht iid", "non iid data", "heterogene"]
)


@dataclass(frozen=True)
class Context:
    """A prompt, the draft that it edits, and what was found so far.

    Attributes:
        reading: The prompt.
        base: Complete document of the draft, or of the defaults.
        is_follow_up: Whether there is a draft.
        denied: Places of names that the prompt says no to.
        kinds: Kinds that the prompt names and does not deny.
        findings: Collects what is understood.
    """

    reading: Reading
    base: Mapping[str, Any]
    is_follow_up: bool
    denied: frozenset[int]
    kinds: tuple[Mention, ...]
    findings: Findings

    def span(self, *places: int) -> Span:
        """Return the stretch of the prompt from the first to the last of these items."""
        items = self.reading.items
        return Span(items[min(places)].start, items[max(places)].end)

    def current(self, path: str) -> Any:
        """Return the value at a path of the draft; None where there is none."""
        value: Any = self.base
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value

    def kind_of(self, section: str) -> str | None:
        """Return the kind of a section: the one that the prompt chose, or the draft's."""
        chosen = self.findings.kinds.get(section)
        found = self.current(f"{section}.kind") if chosen is None else chosen.value
        return None if found is None else str(found)

    def kinds_at_hand(self) -> frozenset[tuple[str, str]]:
        """Return the kinds, each with its section, that the prompt names or the draft has."""
        named = {(mention.subject, mention.choice) for mention in self.kinds}
        sections = ("dataset", "partition", "model", "peft", "algorithm", "aggregation")
        drafted = {(section, str(self.current(f"{section}.kind"))) for section in sections}
        return frozenset(named | drafted)

    def named(self, section: str) -> list[Mention]:
        """Return the kinds of a section that the prompt names and does not deny."""
        return [mention for mention in self.kinds if mention.subject == section]

    def is_firm(self, section: str) -> bool:
        """Return whether a kind of a section was named, rather than described as "non-IID"."""
        texts = [self.reading.items[mention.at].text for mention in self.named(section)]
        return any(text not in _DESCRIPTIONS for text in texts)

    def in_clause(self, at: int, name: str) -> list[int]:
        """Return the places of a setting's name in the clause of item ``at``."""
        return [place for place, item in self.same_clause(at) if name in item.names(Role.SETTING)]

    def same_clause(self, at: int) -> list[tuple[int, Item]]:
        """Return the items of a clause with their places."""
        clause = self.reading.items[at].clause
        return [(p, item) for p, item in enumerate(self.reading.items) if item.clause == clause]


def default_document() -> dict[str, Any]:
    """Return the document of a run with nothing but defaults."""
    return RunSpec().model_dump(mode="json")

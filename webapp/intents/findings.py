"""What was understood of a prompt, before it is made into a document."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Span:
    """A stretch of the prompt, as places of characters."""

    start: int
    end: int


@dataclass(frozen=True)
class Assignment:
    """A value for a path.

    Attributes:
        path: Where it belongs.
        value: JSON value.
        source: ``prompt`` or ``rule``.
        span: Words that it comes from, if any.
    """

    path: str
    value: Any
    source: str
    span: Span | None = None


@dataclass(frozen=True)
class Question:
    """Something that the user has to decide."""

    field: str
    question: str


@dataclass
class Findings:
    """Everything that a prompt says, collected step by step.

    Attributes:
        kinds: Kind of each section.
        settings: Value of each path; settings of a kind are held against it later.
        chains: Compression links by direction, each a mapping with ``kind``.
        axes: Values to compare, by path.
        seeds: How many seeds; None where nothing is repeated.
        max_bytes: Most bytes that a run may transfer, if the prompt says so.
        questions: What has to be asked.
        warnings: What cannot be held, or was not used.
        evidence: How many things were understood.
    """

    kinds: dict[str, Assignment] = field(default_factory=dict)
    settings: dict[str, Assignment] = field(default_factory=dict)
    chains: dict[str, Assignment] = field(default_factory=dict)
    axes: dict[str, Assignment] = field(default_factory=dict)
    seeds: Assignment | None = None
    max_bytes: float | None = None
    questions: list[Question] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    evidence: int = 0

    def ask(self, path: str, question: str) -> None:
        """Add a question, once per path."""
        if all(each.field != path for each in self.questions):
            self.questions.append(Question(path, question))

    def assign(self, path: str, value: Any, span: Span | None, source: str = "prompt") -> None:
        """Set a path; what comes later in the prompt replaces what came before."""
        self.evidence += source == "prompt"
        self.settings[path] = Assignment(path, value, source, span)

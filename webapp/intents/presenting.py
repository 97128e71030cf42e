"""A draft as an answer: every field with its source, every change, and how sure it all is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from fedcore.spec import RunSpec
from webapp.intents.context import Context
from webapp.intents.differences import differences, short_document
from webapp.intents.drafting import Draft
from webapp.intents.findings import Assignment
from webapp.intents.lexicon import lexicon
from webapp.intents.results import (
    IntentChange,
    IntentField,
    IntentQuestion,
    IntentResult,
    IntentSweep,
)


def declined(reason: str, backend: str) -> IntentResult:
    """Return the answer to a prompt that nothing comes of."""
    return IntentResult(
        spec=None, sweep=None, declined=reason, confidence=1.0, backend=backend, seconds=0.0
    )


def present(context: Context, made: Draft, current: RunSpec | None, backend: str) -> IntentResult:
    """Return the answer that a draft amounts to."""
    seeds = context.findings.seeds
    is_sweep = bool(made.axes) or seeds is not None
    axes = {path: list(axis.value) for path, axis in made.axes.items()}
    sweep = IntentSweep(
        base=short_document(made.spec), axes=axes, seeds=seeds.value if seeds else None
    )
    return IntentResult(
        spec=None if is_sweep else made.spec,
        sweep=sweep if is_sweep else None,
        fields=list(_fields(context, made)),
        changes=changes_between(current, made.spec),
        questions=[IntentQuestion(field=q.field, question=q.question) for q in made.questions],
        warnings=made.warnings,
        confidence=_confidence(context, made),
        backend=backend,
        seconds=0.0,
    )


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every setting of a document with its path; lists are settings as a whole."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from leaves(each, f"{path}.{name}" if path else name)
    else:
        yield path, value


def _fields(context: Context, made: Draft) -> Iterator[IntentField]:
    document = made.spec.model_dump(mode="json")
    old = set(differences(made.spec)) if context.is_follow_up else set()
    for path, value in leaves(document):
        origin = _origin(made.origins, path)
        if origin is None:
            source: Literal["draft", "default"] = "draft" if path in old else "default"
            yield IntentField(path=path, value=value, source=source)
        else:
            yield _said(context, origin, path, value)
    for path, axis in made.axes.items():
        yield _said(context, axis, path, axis.value)
    if context.findings.seeds is not None:
        yield _said(context, context.findings.seeds, "seeds", context.findings.seeds.value)


def _origin(origins: Mapping[str, Assignment], path: str) -> Assignment | None:
    while path:
        if path in origins:
            return origins[path]
        path = path.rpartition(".")[0]
    return None


def _said(context: Context, origin: Assignment, path: str, value: Any) -> IntentField:
    span = origin.span
    return IntentField(
        path=path,
        value=value,
        source="prompt" if origin.source == "prompt" else "rule",
        text="" if span is None else context.reading.text(span.start, span.end),
        start=None if span is None else span.start,
        end=None if span is None else span.end,
    )


def changes_between(old: RunSpec | None, new: RunSpec) -> list[IntentChange]:
    """Return what differs between two runs, setting by setting."""
    if old is None:
        return []
    before = dict(leaves(old.model_dump(mode="json")))
    after = dict(leaves(new.model_dump(mode="json")))
    return [
        IntentChange(path=path, before=before.get(path), after=after.get(path))
        for path in dict.fromkeys([*before, *after])
        if before.get(path) != after.get(path)
    ]


def _confidence(context: Context, made: Draft) -> float:
    """Return the share of the words that were understood, less for every open question."""
    words = lexicon(context.reading.language)
    items = [item for item in context.reading.items if not item.is_mark]
    clear = [i for i in items if i.meanings or i.quantity or words.is_common(i.text)]
    share = len(clear) / len(items) if items else 0.0
    return round(share * 0.8 ** len(made.questions), 3)

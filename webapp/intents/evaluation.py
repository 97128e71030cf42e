"""How well a back end understands: prompts with known answers, scored setting by setting."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fedcore.spec import RunSpec, SweepSpec
from fedcore.spec.paths import with_values
from webapp.intents.differences import differences, short_document
from webapp.intents.drafting import value_at
from webapp.intents.results import IntentResult

Answer = Callable[[str, RunSpec | None], IntentResult]
Fact = tuple[str, str]


class Case(BaseModel):
    """A prompt, the draft that it edits, and what should come of it.

    Attributes:
        say: The prompt.
        draft: Settings of the draft, by path; None where there is none.
        want: Settings that differ from the defaults afterwards, by path.
        axes: Values to compare, by path.
        seeds: How many seeds.
        ask: Sections about which there has to be a question.
        declined: Whether nothing may come of it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    say: str
    draft: dict[str, Any] | None = Field(None, alias="from")
    want: dict[str, Any] = {}
    axes: dict[str, list[Any]] = {}
    seeds: int | None = None
    ask: list[str] = []
    declined: bool = False

    @property
    def spec(self) -> RunSpec:
        """The run that should come of it; of a sweep, the one that all runs start from."""
        return spec_of(self.want)


@dataclass
class Score:
    """Results over many prompts; counts of settings are of those that differ from defaults."""

    prompts: int = 0
    exact: int = 0
    invalid: int = 0
    hits: int = 0
    extra: int = 0
    missed: int = 0
    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        """Share of the settings found that are right."""
        return self.hits / max(1, self.hits + self.extra)

    @property
    def recall(self) -> float:
        """Share of the settings meant that were found."""
        return self.hits / max(1, self.hits + self.missed)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0

    def plus(self, other: Score) -> Score:
        """Return the results of both."""
        return Score(
            prompts=self.prompts + other.prompts,
            exact=self.exact + other.exact,
            invalid=self.invalid + other.invalid,
            hits=self.hits + other.hits,
            extra=self.extra + other.extra,
            missed=self.missed + other.missed,
            seconds=[*self.seconds, *other.seconds],
            failures=[*self.failures, *other.failures],
        )

    def percentile(self, share: float) -> float:
        """Return the time, in seconds, within which this share of the answers came."""
        ordered = sorted(self.seconds) or [0.0]
        return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]

    def to_json(self) -> dict[str, float]:
        """Return the figures that a report shows."""
        return {
            "prompts": self.prompts,
            "exact_match": round(self.exact / max(1, self.prompts), 4),
            "precision": round(self.precision, 4),
            "recall": round(self.recall, 4),
            "f1": round(self.f1, 4),
            "invalid_rate": round(self.invalid / max(1, self.prompts), 4),
            "median_s": round(self.percentile(0.5), 5),
            "p99_s": round(self.percentile(0.99), 5),
        }


def load_cases(file: Path) -> list[Case]:
    """Return the cases of a YAML file, a JSON-lines file, or all such files of a folder.

    Raises:
        ValueError: If a case is none.
    """
    if file.is_dir():
        return [case for each in sorted(file.glob("*.yaml")) for case in load_cases(each)]
    text = file.read_text(encoding="utf-8")
    rows = (
        [json.loads(line) for line in text.splitlines() if line.strip()]
        if file.suffix == ".jsonl"
        else yaml.safe_load(text)
    )
    return [Case.model_validate(row) for row in rows]


def spec_of(settings: dict[str, Any]) -> RunSpec:
    """Return the run with these settings, by path, and defaults elsewhere."""
    document: dict[str, Any] = {}
    defaults = RunSpec().model_dump(mode="json")
    for path in sorted(settings, key=lambda each: (not each.endswith(".kind"), each)):
        *sections, name = path.split(".")
        parent, default = document, defaults
        for section in sections:
            default = (default or {}).get(section) or {}
            known = {"kind": default["kind"]} if "kind" in default else {}
            parent = parent.setdefault(section, known)
        parent[name] = settings[path]
    return RunSpec.model_validate(document)


def facts(spec: RunSpec) -> set[Fact]:
    """Return the settings in which a run differs from the defaults of the kinds that it has."""
    own = set()
    defaults = RunSpec()
    for path, value in differences(spec).items():
        is_default = path.endswith(".kind") and _at(defaults, path) == value
        if isinstance(value, list) and value and isinstance(value[0], dict):
            own |= {
                (f"{path}.{place}.{name}", json.dumps(each))
                for place, link in enumerate(value)
                for name, each in link.items()
            }
        elif not is_default:
            own.add((path, json.dumps(value)))
    return own


def _at(spec: RunSpec, path: str) -> Any:
    return value_at(spec.model_dump(mode="json"), path)


def facts_of(result: IntentResult) -> set[Fact]:
    """Return the settings of an answer; those that a sweep compares count as one each."""
    if result.sweep is None:
        return set() if result.spec is None else facts(result.spec)
    return _sweep_facts(result.base, result.sweep.axes, result.sweep.seeds)


def _sweep_facts(base: RunSpec, axes: dict[str, list[Any]], seeds: int | None) -> set[Fact]:
    own = {fact for fact in facts(base) if not _is_compared(fact[0], axes)}
    document = short_document(base)
    for path, values in axes.items():
        section = path.removesuffix(".kind")
        runs = [RunSpec.model_validate(with_values(document, {path: value})) for value in values]
        own.add((f"axes.{section}", json.dumps([_at(run, section) for run in runs])))
    return own if seeds is None else own | {("seeds", str(seeds))}


def _is_compared(path: str, axes: Iterable[str]) -> bool:
    return any(
        path == axis.removesuffix(".kind") or path.startswith(f"{axis.removesuffix('.kind')}.")
        for axis in axes
    )


def evaluate(answer: Answer, cases: Sequence[Case]) -> Score:
    """Return how well a back end does on these cases."""
    score = Score()
    for case in cases:
        current = None if case.draft is None else spec_of(case.draft)
        begun = time.perf_counter()
        result = answer(case.say, current)
        score.seconds.append(time.perf_counter() - begun)
        _count(score, case, result)
    return score


def _count(score: Score, case: Case, result: IntentResult) -> None:
    expected = _sweep_facts(case.spec, case.axes, case.seeds)
    found = facts_of(result)
    score.prompts += 1
    score.hits += len(expected & found)
    score.extra += len(found - expected)
    score.missed += len(expected - found)
    score.invalid += not _is_valid(result)
    asked = {question.field.split(".")[0] for question in result.questions}
    is_exact = (
        expected == found
        and asked == set(case.ask)
        and (result.declined is not None) == case.declined
    )
    score.exact += is_exact
    if not is_exact:
        score.failures.append(_explain(case, result, expected, found, asked))


def _is_valid(result: IntentResult) -> bool:
    if result.declined is not None:
        return result.spec is None and result.sweep is None
    try:
        if result.sweep is not None:
            SweepSpec.model_validate(result.sweep.document())
        RunSpec.model_validate(result.base.model_dump(mode="json"))
    except ValidationError:
        return False
    return True


def _explain(
    case: Case, result: IntentResult, expected: set[Fact], found: set[Fact], asked: set[str]
) -> str:
    parts = [
        f"missed {sorted(expected - found)}" if expected - found else "",
        f"extra {sorted(found - expected)}" if found - expected else "",
        f"asked {sorted(asked)} instead of {sorted(case.ask)}" if asked != set(case.ask) else "",
        "declined" if result.declined and not case.declined else "",
        "not declined" if case.declined and not result.declined else "",
    ]
    return f"{case.say!r}: {'; '.join(part for part in parts if part)}"

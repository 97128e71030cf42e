"""Findings made into a document that can be run; what does not fit becomes a question."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fedcore.spec import Problem, RunSpec, check, check_sweep, estimate
from fedcore.spec.catalogue import families
from fedcore.spec.paths import with_values
from webapp.intents.catalogue_fields import find_kind, required_settings, setting_of
from webapp.intents.differences import short_document
from webapp.intents.findings import Assignment, Findings, Question

ADAM_LR = 0.001
_MAX_REPAIRS = 40
#: Settings of two, of which one replaces the other.
_RIVALS = {
    "local.steps": "local.epochs",
    "local.epochs": "local.steps",
    "sampling.count": "sampling.fraction",
    "sampling.fraction": "sampling.count",
    "attack.count": "attack.fraction",
    "attack.fraction": "attack.count",
    "aggregation.byzantine_count": "aggregation.byzantine_fraction",
    "aggregation.byzantine_fraction": "aggregation.byzantine_count",
}
#: Settings that every kind of a section has, and that stay when the kind changes.
_SHARED = {"partition": ("clients",), "dataset": ("max_train", "max_test")}
_MB = 1_000_000


@dataclass
class Draft:
    """A document in the making.

    Attributes:
        document: What the draft says, complete or not.
        origins: Where each path that is not the draft's own comes from.
        axes: Values to compare.
        questions: What has to be asked.
        warnings: What cannot be held.
    """

    document: dict[str, Any]
    origins: dict[str, Assignment]
    axes: dict[str, Assignment]
    questions: list[Question]
    warnings: list[str]
    spec: RunSpec = field(default_factory=RunSpec)

    def ask(self, path: str, question: str) -> None:
        """Add a question, once per path."""
        if all(each.field != path for each in self.questions):
            self.questions.append(Question(path, question))


def draft(findings: Findings, base: Mapping[str, Any]) -> Draft:
    """Return the document that follows from the findings; it is always valid.

    Args:
        findings: What was understood of the prompt.
        base: Document of the draft that is edited, or an empty one.
    """
    result = Draft(
        copy.deepcopy(dict(base)),
        {},
        dict(findings.axes),
        [*findings.questions],
        [*findings.warnings],
    )
    for assignment in findings.kinds.values():
        _set_kind(result, assignment)
    _set_defaults_of_rules(result, findings)
    for assignment in (*findings.settings.values(), *findings.chains.values()):
        _set(result, assignment)
    _ask_for_required(result)
    _repair(result)
    _check_axes(result, findings.seeds.value if findings.seeds else None)
    _hold_limit(result, findings.max_bytes)
    return result


def _parent(document: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    *sections, name = path.split(".")
    for section in sections:
        if not isinstance(document.get(section), dict):
            document[section] = {}
        document = document[section]
    return document, name


def value_at(document: Mapping[str, Any], path: str) -> Any:
    """Return the value at a path; None where there is none."""
    value: Any = document
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _set_kind(result: Draft, assignment: Assignment) -> None:
    section = assignment.path.removesuffix(".kind")
    old = value_at(result.document, section) or {}
    if old.get("kind") != assignment.value:
        kept = {name: old[name] for name in _SHARED.get(section, ()) if name in old}
        if section == "sampling" and "count" in old:
            kept = {n: v for n, v in old.items() if setting_of(section, assignment.value, n)}
            kept.pop("kind", None)
        parent, name = _parent(result.document, section)
        parent[name] = {"kind": assignment.value, **kept}
    result.origins[assignment.path] = assignment


def _set(result: Draft, assignment: Assignment) -> None:
    section, _, name = assignment.path.rpartition(".")
    default = None
    if section and setting_like(section) and not value_at(result.document, f"{section}.kind"):
        default = value_at(RunSpec().model_dump(mode="json"), f"{section}.kind")
    parent, name = _parent(result.document, assignment.path)
    if default is not None:
        parent["kind"] = default
    parent[name] = copy.deepcopy(assignment.value)
    rival = _RIVALS.get(assignment.path)
    if rival is not None and assignment.value is not None and rival not in result.origins:
        parent[rival.rpartition(".")[2]] = None
    result.origins[assignment.path] = assignment


def setting_like(section: str) -> bool:
    """Return whether a section is a choice of kinds."""
    return value_at(RunSpec().model_dump(mode="json"), f"{section}.kind") is not None


def _set_defaults_of_rules(result: Draft, findings: Findings) -> None:
    """Give Adam a learning rate that suits it, where the prompt gives none."""
    optimizer = findings.settings.get("local.optimizer")
    if optimizer is None or str(optimizer.value) not in ("adam", "adamw"):
        return
    if "local.lr" in findings.settings or "local.lr" in findings.axes:
        return
    if value_at(result.document, "local.optimizer") == optimizer.value:
        return
    _set(result, Assignment("local.lr", ADAM_LR, "rule", optimizer.span))


def _keep_promises(result: Draft) -> None:
    """Count clients alike where privacy needs it, and ask how much privacy where nobody said."""
    told = {path: each for path, each in result.origins.items() if path.startswith("privacy.dp")}
    compared = {path: each for path, each in result.axes.items() if path.startswith("privacy.dp")}
    dp = value_at(result.document, "privacy.dp")
    if not compared and not (told and isinstance(dp, dict)):
        return
    levels = dp if isinstance(dp, dict) else {}
    has_amount = compared or any(levels.get(name) for name in ("epsilon", "noise_multiplier"))
    if not has_amount:
        result.ask("privacy.dp.epsilon", "How large may the privacy loss epsilon be, say 8?")
    is_mean = value_at(result.document, "aggregation.kind") in (None, "mean")
    if levels.get("level", "client") == "client" and is_mean:
        span = next(iter([*told.values(), *compared.values()])).span
        _set(result, Assignment("aggregation.weighting", "uniform", "rule", span))


def _ask_for_required(result: Draft) -> None:
    for path in [path for path in result.origins if path.endswith(".kind")]:
        section = path.removesuffix(".kind")
        kind = value_at(result.document, path)
        for name in required_settings(section, str(kind)):
            if value_at(result.document, f"{section}.{name}") is None:
                title = find_kind(section, str(kind)).title
                result.ask(f"{section}.{name}", f"{title} needs a {name}. Which one?")
                _drop(result, path)
                break


def _drop(result: Draft, path: str) -> None:
    """Take back what was set at a path, and the rules that followed from it."""
    gone = result.origins.pop(path, None)
    for other, each in list(result.origins.items()):
        if gone and each.source == "rule" and each.span == gone.span and gone.span is not None:
            _drop(result, other)
    if path.endswith(".kind"):
        section = path.removesuffix(".kind")
        parent, name = _parent(result.document, section)
        parent.pop(name, None)
        for other in [each for each in result.origins if each.startswith(f"{section}.")]:
            result.origins.pop(other)
        return
    parent, name = _parent(result.document, path)
    parent.pop(name, None)
    rival = _RIVALS.get(path)
    if rival is not None and rival not in result.origins:
        parent.pop(rival.rpartition(".")[2], None)


# --- repair ---------------------------------------------------------------------------------------


def _repair(result: Draft) -> None:
    """Change the document until it can be run, asking about everything that has to go."""
    for _ in range(_MAX_REPAIRS):
        _keep_promises(result)
        checked = check(result.document)
        if checked.spec is not None:
            result.spec = checked.spec
            return
        problem = checked.problems[0]
        if _fit_default(result, problem):
            continue
        culprit = _culprit(result, problem)
        if culprit is None:
            break
        result.ask(problem.path or culprit, f"{problem.message} {problem.fix}".strip())
        _drop(result, culprit)
    else:
        result.document = {}
    checked = check(result.document)
    result.spec = checked.spec or RunSpec()
    if checked.spec is None:
        result.document, result.origins = {}, {}


def _culprit(result: Draft, problem: Problem) -> str | None:
    """Return what the prompt said that has to go: at the place of the problem, or near it."""
    path = problem.path
    exact = [p for p in result.origins if path == p or path.startswith(f"{p}.")]
    if exact:
        return max(exact, key=len)
    section = path.split(".", maxsplit=1)[0]
    near = [p for p in result.origins if p.split(".", maxsplit=1)[0] == section]
    return next(iter([*reversed(near), *reversed(result.origins)]), None)


def _fit_default(result: Draft, problem: Problem) -> bool:
    """Replace a kind that nobody asked for by one that fits what was asked for."""
    section = problem.path.removesuffix(".kind")
    if not problem.path.endswith(".kind") or not setting_like(section):
        return False
    origin = result.origins.get(problem.path)
    if origin is not None:
        return False
    for kind in _fitting(section):
        trial = copy.deepcopy(result.document)
        old = value_at(trial, section) or {}
        parent, name = _parent(trial, section)
        parent[name] = {"kind": kind} | {n: old[n] for n in _SHARED.get(section, ()) if n in old}
        if all(each.path != problem.path for each in check(trial).problems):
            result.document = trial
            result.origins[problem.path] = Assignment(problem.path, kind, "rule")
            return True
    return False


def _fitting(section: str) -> Sequence[str]:
    """Return the kinds of a section that need nothing else, natural partitions first."""
    family = next(each for each in families() if each.section == section)
    kinds = [kind for kind in family.kinds() if not required_settings(section, kind)]
    return sorted(kinds, key=lambda kind: kind != "natural") if section == "partition" else kinds


# --- sweeps and limits ----------------------------------------------------------------------------


def _check_axes(result: Draft, seeds: int | None) -> None:
    """Keep the values with which each run of a sweep can be run."""
    for path, axis in list(result.axes.items()):
        kept = []
        for value in axis.value:
            problems = check(_point(result, path, value)).problems
            if problems:
                result.ask(problems[0].path or path, f"{problems[0].message} {problems[0].fix}")
            else:
                kept.append(value)
        del result.axes[path]
        if len(kept) > 1:
            result.axes |= dict([_simplified(result, replace(axis, value=kept))])
        elif kept:
            result.spec = RunSpec.model_validate(_point(result, path, kept[0]))
    sweep = {"base": short_document(result.spec), "seeds": seeds or 1}
    sweep |= {"axes": {path: axis.value for path, axis in result.axes.items()}}
    problems = check_sweep(sweep).problems if result.axes else ()
    if problems:
        result.ask(problems[0].path, f"{problems[0].message} {problems[0].fix}".strip())
        result.axes.clear()


def _point(result: Draft, path: str, value: Any) -> dict[str, Any]:
    """Return one run of a sweep; a whole section keeps what every kind of it has."""
    document = short_document(result.spec)
    if isinstance(value, dict):
        return with_values(document, {f"{path}.{name}": each for name, each in value.items()})
    return with_values(document, {path: value})


def _simplified(result: Draft, axis: Assignment) -> tuple[str, Assignment]:
    """Return the axis with its path; kinds alone are compared by their names."""
    if not all(isinstance(value, dict) for value in axis.value):
        return axis.path, axis
    if all(set(value) == {"kind"} for value in axis.value):
        path = f"{axis.path}.kind"
        return path, replace(axis, path=path, value=[value["kind"] for value in axis.value])
    shared = {
        name: value_at(short_document(result.spec), f"{axis.path}.{name}")
        for name in _SHARED.get(axis.path, ())
    }
    kept = {name: value for name, value in shared.items() if value is not None}
    return axis.path, replace(axis, value=[{**kept, **value} for value in axis.value])


def _hold_limit(result: Draft, max_bytes: float | None) -> None:
    """Say whether the run stays below the traffic that the prompt allows."""
    if max_bytes is None:
        return
    total = estimate(result.spec).bytes_total
    limit = f"{max_bytes / _MB:g} MB"
    if total is None:
        result.warnings.append(f"A run cannot be held to {limit}, and its traffic is not known.")
    elif total > max_bytes:
        result.ask(
            "compression.uplink",
            f"The run would transfer about {total / _MB:.3g} MB, more than {limit}. "
            "Compress more, train fewer rounds, or take a smaller model?",
        )
    else:
        result.warnings.append(
            f"The run will transfer about {total / _MB:.3g} MB. It stays below {limit}, "
            "but nothing enforces that."
        )

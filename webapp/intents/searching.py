"""Search by words: "find a good learning rate for this" becomes a search over the spec's ranges.

A search is scored on a part of the training examples that is held out for it. The test examples are
kept for what was found, so that its accuracy there is what to expect of new data.
"""

from __future__ import annotations

from fedcore.spec import check_sweep, estimate
from fedcore.spec.search_space import SEARCHABLE, VALIDATION, search_space
from webapp.intents.context import Context
from webapp.intents.differences import short_document
from webapp.intents.findings import Findings
from webapp.intents.lexicon import Role
from webapp.intents.results import IntentField, IntentResult, IntentSweep

TRIALS = 20
_REACH = 2
_MB = 1_000_000


def subjects_of(context: Context) -> list[str]:
    """Return what the prompt wants to have searched for, by path; empty if it wants no search."""
    items = context.reading.items
    begin = next((at for at, item in enumerate(items) if item.is_operator("search")), None)
    if begin is None:
        return []
    found: list[str] = []
    for at in range(begin + 1, len(items)):
        names = items[at].names(Role.SETTING)
        has_number = _has_number(context, at)
        found += [name for name in names if name in SEARCHABLE and not has_number]
        found += ["algorithm.mu"] if "field:mu" in names and not has_number else []
        is_open = "model" in items[at].names(Role.SECTION) and not context.named("model")
        found += ["model"] if is_open else []
    return list(dict.fromkeys(found))


def _has_number(context: Context, at: int) -> bool:
    """Return whether a number stands beside a name, with nothing but words between them."""
    items = context.reading.items
    after = items[at + 1 : at + 1 + _REACH]
    mark = next((place for place, item in enumerate(after) if item.is_mark), len(after))
    return any(item.quantity for item in (*items[max(0, at - 1) : at], *after[:mark]))


def as_search(result: IntentResult, subjects: list[str], findings: Findings) -> IntentResult:
    """Return the answer as a search, with its budget, instead of a single run."""
    trials = TRIALS if findings.seeds is None else int(findings.seeds.value)
    document = short_document(result.base)
    document["dataset"] = {"kind": result.base.dataset.kind, **document.get("dataset", {})}
    document["dataset"]["validation"] = VALIDATION
    space = search_space(document, subjects)
    search = {"trials": trials, "parameters": space}
    sweep = IntentSweep(base=document, search=search)
    if not space or check_sweep(sweep.document()).problems:
        return result
    fields = [
        *(each for each in result.fields if each.path != "seeds"),
        IntentField(path="dataset.validation", value=VALIDATION, source="rule"),
        IntentField(path="search", value=search, source="prompt"),
    ]
    return result.model_copy(
        update={
            "spec": None,
            "sweep": sweep,
            "fields": fields,
            "warnings": [*result.warnings, _budget(result, trials)],
        }
    )


def _budget(result: IntentResult, trials: int) -> str:
    spec = result.base
    total = estimate(spec).bytes_total
    traffic = "" if total is None else f", about {trials * total / _MB:.3g} MB of traffic in all"
    return (
        f"The search takes {trials} trials of {spec.rounds} rounds{traffic}. They are compared on "
        f"{VALIDATION:.0%} of the training examples, held out for it, and never on test examples."
    )

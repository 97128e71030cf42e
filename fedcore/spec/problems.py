"""What is wrong with a spec: every problem with its path, a sentence and the fix."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from fedcore.errors import PermanentError
from fedcore.spec.base import Choice

MAX_QUOTED = 60

Loc = tuple[int | str, ...]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a spec.

    Attributes:
        path: Where, as in the user's document: ``algorithm.mu``; empty for the whole document.
        code: Stable name of the kind of problem.
        message: What is wrong, one sentence.
        fix: What to do about it, one sentence.
    """

    path: str
    code: str
    message: str
    fix: str = ""

    def to_json(self) -> dict[str, str]:
        """Return the problem as a plain mapping."""
        return asdict(self)


class SpecError(PermanentError):
    """A spec has problems; all of them are listed in ``problems``."""

    code = "invalid_spec"

    def __init__(self, message: str = "", **context: Any) -> None:
        super().__init__(message, **context)
        self.problems: tuple[Problem, ...] = tuple(context.get("problems", ()))

    @classmethod
    def of(cls, problems: Sequence[Problem]) -> SpecError:
        """Return the error that lists these problems."""
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        lines = [f"{p.path or 'spec'}: {p.message} {p.fix}".rstrip() for p in problems]
        return cls("\n".join([f"The spec has {count}.", *lines]), problems=tuple(problems))


def as_validation_error(title: str, problems: Iterable[Problem]) -> ValidationError:
    """Return a pydantic error that carries each problem at its own location."""
    details = [
        InitErrorDetails(
            type=PydanticCustomError("rule", "{message}", _context(problem)),
            loc=tuple(problem.path.split(".")) if problem.path else (),
            input=None,
        )
        for problem in problems
    ]
    return ValidationError.from_exception_data(title, details)


def problems_of(error: ValidationError, root: type[BaseModel]) -> list[Problem]:
    """Return pydantic's findings as problems, with the paths of the user's own document."""
    return [_problem(detail, root) for detail in error.errors(include_url=False)]


def _context(problem: Problem) -> dict[str, Any]:
    return {"message": problem.message, "fix": problem.fix, "rule": problem.code}


def _problem(detail: ErrorDetails, root: type[BaseModel]) -> Problem:
    context = detail.get("ctx", {})
    where, owner = _resolve(detail["loc"], root)
    path = ".".join(str(part) for part in where)
    code = detail["type"]
    if code == "rule":
        return Problem(path, context["rule"], context["message"], context["fix"])
    if code == "extra_forbidden":
        known = list(owner.model_fields) if owner else []
        name = str(where[-1])
        message = f"There is no setting called {_quoted(name)} here."
        return Problem(path, "unknown_key", message, nearest(name, known))
    if code in ("union_tag_invalid", "union_tag_not_found"):
        return _unknown_kind(path, detail, owner)
    return Problem(path, code, _sentence(code, detail["msg"]), _default_fix(code, context))


def _unknown_kind(path: str, detail: ErrorDetails, owner: type[BaseModel] | None) -> Problem:
    known = list(owner.kinds()) if owner and issubclass(owner, Choice) else []
    if detail["type"] == "union_tag_not_found":
        return Problem(path, "missing_kind", "The key kind is missing.", _listing(known))
    tag = str(detail.get("ctx", {}).get("tag", ""))
    return Problem(
        f"{path}.kind", "unknown_kind", f"There is no kind {_quoted(tag)}.", nearest(tag, known)
    )


def _resolve(loc: Loc, root: type[BaseModel]) -> tuple[list[int | str], type[BaseModel] | None]:
    """Return the location without union tags, and the model (or family) that it points into."""
    owner: type[BaseModel] | None = root
    path: list[int | str] = []
    for part in loc:
        if owner is not None and issubclass(owner, Choice) and owner.is_family():
            kinds = owner.kinds()
            if part in kinds:
                owner = kinds[str(part)]
                continue
        path.append(part)
        if owner is not None and isinstance(part, str):
            owner = model_at(owner, part) or (owner if part not in owner.model_fields else None)
    return path, owner


def model_at(owner: type[BaseModel], name: str) -> type[BaseModel] | None:
    """Return the model class inside the annotation of a field, through None, list and tuple."""
    field = owner.model_fields.get(name)
    return None if field is None else _model_in(field.annotation)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _model_in(argument)
        if found is not None:
            return found
    return None


def nearest(name: str, known: list[str]) -> str:
    """Return what to write instead of a name that is not known, as a sentence."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {close[0]}?" if close else _listing(known)


def _listing(known: list[str]) -> str:
    return f"Use one of: {', '.join(known)}." if known else "Remove it."


def _quoted(text: str) -> str:
    return repr(text if len(text) <= MAX_QUOTED else f"{text[:MAX_QUOTED]}...")


_PLAIN = {
    "missing": "This setting is missing.",
    "model_attributes_type": "Must be a mapping of settings.",
    "model_type": "Must be a mapping of settings.",
    "dict_type": "Must be a mapping of settings.",
    "invalid_key": "A key must be text.",
}


def _sentence(code: str, message: str) -> str:
    if code in _PLAIN:
        return _PLAIN[code]
    text = message.replace("Input should be", "Must be").replace("Input should", "Must")
    return text if text.endswith(".") else f"{text}."


def _default_fix(code: str, context: dict[str, Any]) -> str:
    if code == "finite_number":
        return "Give an ordinary number, not NaN or infinity."
    if code == "missing":
        return "Add it."
    limit = next((context[key] for key in ("ge", "gt", "le", "lt") if key in context), None)
    return "" if limit is None else f"The limit is {limit}."

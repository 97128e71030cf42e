"""What this installation can run; the spec itself is right, the machine is too small."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings

from fedcore.spec import Problem, RunSpec, estimate
from webapp.errors import DomainError, Fields

_MIB = 1024 * 1024


class InvalidSpecError(DomainError):
    """A spec that is wrong, or that this installation cannot run."""

    code = "invalid_spec"

    @classmethod
    def of(cls, problems: Iterable[Problem]) -> InvalidSpecError:
        fields: Fields = {}
        for problem in problems:
            fields.setdefault(problem.path or "spec", []).append(sentence(problem))
        count = "1 problem" if len(fields) == 1 else f"{len(fields)} problems"
        return cls(f"The spec cannot be run: {count}.", fields=fields)


def sentence(problem: Problem) -> str:
    return f"{problem.message} {problem.fix}".rstrip()


def oversized(spec: RunSpec) -> list[Problem]:
    """Return the problem with a model that needs more memory than a worker may use."""
    needed = estimate(spec).memory_bytes
    if needed is None or needed <= settings.MAX_MODEL_BYTES:
        return []
    message = (
        f"This model needs about {needed // _MIB} MiB of memory;"
        f" the limit here is {settings.MAX_MODEL_BYTES // _MIB} MiB."
    )
    return [Problem("model", "model_too_large", message, "Choose a smaller model.")]


def refuse_oversized(spec: RunSpec) -> None:
    problems = oversized(spec)
    if problems:
        raise InvalidSpecError.of(problems)

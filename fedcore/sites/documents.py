"""Files that a site's administrator writes: YAML, read strictly, every mistake named."""

from __future__ import annotations

import json
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError
from pydantic_core import PydanticCustomError

from fedcore.errors import PermanentError
from fedcore.spec.base import Spec
from fedcore.spec.documents import load_yaml
from fedcore.spec.problems import Problem, SpecError, problems_of

ANY = "any"
MAX_NAMES = 1000

Document = TypeVar("Document", bound=Spec)


class SiteDocument(Spec):
    """A part of a file that a site's administrator writes: ``yes`` is no number, nor is ``"3"``."""

    model_config = ConfigDict(strict=True)


class SiteFileError(PermanentError):
    """A file of the site (policy or configuration) has problems; all are in ``problems``."""

    code = "invalid_site_file"

    def __init__(self, message: str = "", **context: Any) -> None:
        super().__init__(message, **context)
        self.problems: tuple[Problem, ...] = tuple(context.get("problems", ()))

    @classmethod
    def of(cls, name: str, problems: tuple[Problem, ...]) -> SiteFileError:
        """Return the error that lists the problems of the file of this name."""
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        lines = [f"{p.path or name}: {p.message} {p.fix}".rstrip() for p in problems]
        return cls("\n".join([f"{name} has {count}.", *lines]), problems=problems)


def read_document(text: str, shape: type[Document], name: str) -> Document:
    """Return what a YAML document of a site says.

    Args:
        text: The document.
        shape: What it has to be.
        name: What to call it in errors, as a rule its path.

    Raises:
        SiteFileError: With every problem of the document.
    """
    try:
        # As JSON, so that being strict about numbers does not mean being strict about tuples.
        return shape.model_validate_json(json.dumps(load_yaml(text), default=str))
    except SpecError as error:
        raise SiteFileError.of(name, error.problems) from error
    except ValidationError as error:
        raise SiteFileError.of(name, tuple(problems_of(error, shape))) from error


def _names(value: Any) -> tuple[str, ...] | None:
    """Return a list of names; None stands for ``any``."""
    if value == ANY:
        return None
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
        raise refusal(
            "not_names",
            "This is neither the word any nor a list of names.",
            "Write any, or a list such as [one, two]; [] allows nothing.",
        )
    return tuple(value)


def _as_written(names: tuple[str, ...] | None) -> str | list[str]:
    return ANY if names is None else list(names)


def refusal(code: str, message: str, fix: str) -> PydanticCustomError:
    """Return the error that a validator raises to name a mistake and its fix."""
    context = {"message": message, "fix": fix, "rule": code}
    return PydanticCustomError("rule", "{message}", context)


#: A list of names, or None for any. An empty line in the file is neither: it is refused.
Names = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] | None,
    Field(max_length=MAX_NAMES),
    BeforeValidator(_names),
    PlainSerializer(_as_written),
]

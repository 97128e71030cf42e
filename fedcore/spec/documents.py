"""Reading YAML documents that strangers wrote."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml

from fedcore.spec.problems import Problem, SpecError

MAX_DOCUMENT_BYTES = 1_000_000


class _StrictLoader(yaml.SafeLoader):
    """Plain data only: no duplicate keys, and no aliases, which can grow without bound."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(
                None, None, "aliases are not allowed in a spec", event.start_mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002
        keys = [key.value for key, _ in node.value]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {twice!r} is given twice", node.start_mark
            )
        return super().construct_mapping(node, deep=deep)


# YAML 1.1 reads 1e-3 as text; every other format that a spec travels in reads a number.
_StrictLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?\d+(\.\d*)?[eE][-+]?\d+$"),
    list("-+0123456789"),
)


def load_yaml(text: str) -> Any:
    """Return the plain data in a YAML or JSON document; an empty document is ``{}``.

    Raises:
        SpecError: If the text is too long or not a single YAML document.
    """
    if len(text.encode(errors="replace")) > MAX_DOCUMENT_BYTES:
        message = f"The document is longer than {MAX_DOCUMENT_BYTES // 1000} kB."
        raise SpecError.of([Problem("", "too_large", message, "A spec needs a few kB at most.")])
    try:
        data = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 (a SafeLoader, made stricter)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise SpecError.of([_not_yaml(error)]) from error
    return {} if data is None else data


def _not_yaml(error: Exception) -> Problem:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        message = f"Line {mark.line + 1}, column {mark.column + 1}: {error.problem}."
    elif isinstance(error, RecursionError):
        message = "The document is nested too deeply."
    else:
        message = "The document is not YAML."
    return Problem("", "not_yaml", message, "Correct the line and try again.")

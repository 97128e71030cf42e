"""A back end that runs a model of the transformers library on a worker of this installation.

Decoding is held to the schema of answers, so an answer always has the right form. What a schema
cannot say, such as which method needs which topology, the validator of specs says afterwards:
settings that cannot be together become questions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from fedcore.spec import RunSpec
from webapp.intents.builtin import BuiltinBackend
from webapp.intents.gate import refused_command
from webapp.intents.model_answers import WrongAnswerError, read_answer, with_words
from webapp.intents.presenting import declined
from webapp.intents.reading import read
from webapp.intents.results import IntentResult

NAME = "local"
_log = structlog.get_logger(__name__)

#: Gives the text that a model writes about a sentence and the draft that it changes.
Complete = Callable[[str, RunSpec | None], str]


class NoAnswerError(Exception):
    """The model has written nothing in time, or could not be loaded."""


@dataclass(frozen=True)
class LocalBackend:
    """Asks a model of this installation, and falls back to the built-in back end.

    Attributes:
        complete: Gives the model's text; raises ``NoAnswerError`` where there is none.
    """

    complete: Complete
    name: str = NAME

    def answer(self, prompt: str, current: RunSpec | None = None) -> IntentResult:
        """Return the model's draft, or the built-in one where the model has none."""
        refusal = refused_command(read(prompt))
        if refusal is not None:
            return declined(refusal, NAME)
        builtin = BuiltinBackend().answer(prompt, current)
        try:
            answer = read_answer(self.complete(prompt, current), current, NAME, mend=True)
        except (NoAnswerError, WrongAnswerError) as error:
            _log.warning("local model did not help", reason=str(error)[:200])
        else:
            return with_words(answer, builtin)
        warning = "The local model gave no answer; the built-in rules were used."
        return builtin.model_copy(update={"warnings": [*builtin.warnings, warning]})

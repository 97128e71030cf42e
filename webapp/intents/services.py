"""Answer a prompt with the back end that this installation has chosen."""

from __future__ import annotations

import time
from typing import Protocol

from fedcore.spec import RunSpec
from webapp.intents.builtin import BuiltinBackend
from webapp.intents.results import IntentResult


class Backend(Protocol):
    """Something that understands prompts.

    It only ever fills in a spec: whatever it returns has passed the validator of specs.
    """

    @property
    def name(self) -> str:
        """What answers call it."""
        ...

    def answer(self, prompt: str, current: RunSpec | None = None) -> IntentResult:
        """Return the draft that a prompt describes, or that it makes of the current one."""
        ...


def answer_prompt(
    *, prompt: str, current: RunSpec | None = None, backend: Backend | None = None
) -> IntentResult:
    """Return the answer to a prompt, with the time that it took; nothing is saved."""
    begun = time.perf_counter()
    result = (backend or BuiltinBackend()).answer(prompt, current)
    return result.model_copy(update={"seconds": round(time.perf_counter() - begun, 6)})

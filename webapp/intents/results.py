"""The answer to a prompt, whichever back end gave it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from fedcore.spec import RunSpec


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class IntentField(Answer):
    """One setting of the draft, and where its value comes from."""

    path: str
    value: Any
    source: Literal["prompt", "rule", "draft", "default"] = Field(
        description="Words of the prompt, a rule that follows from them, the draft, a default."
    )
    text: str = Field("", description="The words of the prompt that it comes from.")
    start: int | None = Field(None, description="Place of the first of these characters.")
    end: int | None = Field(None, description="Place after the last.")


class IntentQuestion(Answer):
    """Something that only the user can decide."""

    field: str
    question: str


class IntentChange(Answer):
    """What a follow-up sentence changed in the draft."""

    path: str
    before: Any
    after: Any


class IntentSweep(Answer):
    """Several runs: every combination of the values of all axes, with each seed."""

    base: dict[str, Any] = Field(description="The spec that all runs start from, as written.")
    axes: dict[str, list[Any]] = Field(default_factory=dict)
    seeds: int | None = Field(None, ge=1, description="Runs of each; null is one.")
    search: dict[str, Any] | None = Field(
        None, description="What is searched for instead of axes: trials, and ranges by path."
    )

    def document(self) -> dict[str, Any]:
        """Return the sweep as the API takes it."""
        axes = {"axes": self.axes} if self.axes else {}
        search = {"search": self.search} if self.search else {}
        return {"base": self.base, **axes, **search, "seeds": self.seeds or 1}


class IntentResult(Answer):
    """A draft of a run or of a sweep; nothing is saved and nothing is launched."""

    spec: RunSpec | None = Field(description="The run; null if it is a sweep, or declined.")
    sweep: IntentSweep | None = Field(description="The runs, where there are several.")
    fields: list[IntentField] = []
    changes: list[IntentChange] = Field([], description="Against the draft that was edited.")
    questions: list[IntentQuestion] = []
    warnings: list[str] = []
    declined: str | None = Field(None, description="Why nothing came of the prompt, if so.")
    confidence: float = Field(ge=0, le=1, description="1 where every word was understood.")
    backend: str = Field(description="Which back end answered.")
    seconds: float = Field(ge=0, description="How long the answer took.")

    @property
    def base(self) -> RunSpec:
        """The run, or the one that all runs of the sweep start from."""
        return self.spec or RunSpec.model_validate(self.sweep.base if self.sweep else {})

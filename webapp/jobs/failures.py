"""Why a run failed, in words for the person who has to act."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_MAX_TEXT = 2_000


def _shortened(value: object) -> object:
    """Cut long text: a failure is a card, and an exception can quote a whole tensor."""
    if isinstance(value, str) and len(value) > _MAX_TEXT:
        return value[: _MAX_TEXT - 1] + "…"
    return value


Text = Annotated[str, BeforeValidator(_shortened)]


class Failure(BaseModel):
    """The first cause of a failed run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str = Field(description="Stable name of the kind of failure, for programs.")
    message: Text
    client_id: int | str | None = Field(None, description="Client whose work failed.")
    round_index: int | None = Field(None, description="Round in which it failed.")
    field: str | None = Field(None, description="Path in the spec that has to change.")
    fix: Text | None = Field(None, description="What to do about it.")

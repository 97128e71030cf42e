"""What the server sends on ``ws/runs/{id}/``; a browser sends nothing."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, RootModel, WithJsonSchema

from webapp.jobs.events import Event

_REF = "#/components/schemas/"
# Pydantic resolves a "$ref" itself and does not know this one, so it is put in afterwards.
_RUN = {"x-component": "Run"}
RunJson = Annotated[dict[str, Any], WithJsonSchema(_RUN)]


class SnapshotFrame(BaseModel):
    """The first frame: the run as it is; events after number ``after`` follow."""

    type: Literal["snapshot"] = "snapshot"
    run: RunJson
    after: int


class EventsFrame(BaseModel):
    """Events in order: none is missing and none comes twice."""

    type: Literal["events"] = "events"
    events: list[Event]


class RunFrame(BaseModel):
    """The run as it is after the events so far; several changes may have become one frame."""

    type: Literal["run"] = "run"
    run: RunJson


class PingFrame(BaseModel):
    """The connection is alive and its user may still look."""

    type: Literal["ping"] = "ping"


class Frame(
    RootModel[
        Annotated[SnapshotFrame | EventsFrame | RunFrame | PingFrame, Field(discriminator="type")]
    ]
):
    """One message of the websocket ``ws/runs/{id}/?after=seq``, told apart by ``type``."""


def add_to_schema(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the frames to the API schema, which knows HTTP only; a hook of drf-spectacular."""
    schema = Frame.model_json_schema(ref_template=f"{_REF}{{model}}", mode="serialization")
    known = result["components"]["schemas"]
    for name, part in schema.pop("$defs").items():
        properties = part.get("properties", {})
        if "run" in properties:
            properties["run"] = {"$ref": f"{_REF}Run"}
        if properties:
            part["required"] = list(properties)
        known.setdefault(name, part)
    known["Frame"] = schema
    result["components"]["schemas"] = dict(sorted(known.items()))
    return result

"""What can happen to a run: each kind of event is a type, and the types are in the API schema."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from webapp.jobs.states import RunState


class Data(BaseModel):
    # An unknown key would be stored and sent but typed nowhere.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class RoundRow(Data):
    """One finished round; a metric is null where its value was not a finite number."""

    round: int
    metrics: dict[str, float | None]
    bytes_up: int
    bytes_down: int
    seconds: float
    sim_seconds: float
    participants: int
    recorded_at: datetime


class StateChangedData(Data):
    from_: RunState | None = Field(alias="from", description="Null when the run was created.")
    to: RunState
    reason: str = ""


class CheckpointSavedData(Data):
    round_index: int = Field(description="Rounds that the checkpoint contains.")
    size_bytes: int


class RecoveredData(Data):
    reason: str
    from_round: int = Field(description="Rounds that need not be trained again.")


class ClientRefusedData(Data):
    round_index: int
    client_id: int | str
    reason: str


class SiteChangedData(Data):
    """What a site does in a run whose clients are real sites."""

    round_index: int
    site: str = Field(description="Name of the site.")
    client_id: int
    what: Literal["joined", "refused", "failed", "late", "lost", "returned", "revoked"]
    reason: str


class LogData(Data):
    level: Literal["info", "warning", "error"]
    message: str


class ArtifactCreatedData(Data):
    kind: Literal["checkpoint", "model"]
    size_bytes: int


class _Event(Data):
    seq: int
    at: datetime


class StateChanged(_Event):
    kind: Literal["state_changed"] = "state_changed"
    data: StateChangedData


class RoundFinished(_Event):
    kind: Literal["round_finished"] = "round_finished"
    data: RoundRow


class CheckpointSaved(_Event):
    kind: Literal["checkpoint_saved"] = "checkpoint_saved"
    data: CheckpointSavedData


class Recovered(_Event):
    kind: Literal["recovered"] = "recovered"
    data: RecoveredData


class ClientRefused(_Event):
    kind: Literal["client_refused"] = "client_refused"
    data: ClientRefusedData


class SiteChanged(_Event):
    kind: Literal["site_changed"] = "site_changed"
    data: SiteChangedData


class Log(_Event):
    kind: Literal["log"] = "log"
    data: LogData


class ArtifactCreated(_Event):
    kind: Literal["artifact_created"] = "artifact_created"
    data: ArtifactCreatedData


class Event(
    RootModel[
        Annotated[
            StateChanged
            | RoundFinished
            | CheckpointSaved
            | Recovered
            | ClientRefused
            | SiteChanged
            | Log
            | ArtifactCreated,
            Field(discriminator="kind"),
        ]
    ]
):
    """One event of a run, told apart by ``kind`` and numbered by ``seq`` without gaps."""


EventData = (
    StateChangedData
    | RoundRow
    | CheckpointSavedData
    | RecoveredData
    | ClientRefusedData
    | SiteChangedData
    | LogData
    | ArtifactCreatedData
)

KINDS: dict[type[Data], str] = {
    StateChangedData: "state_changed",
    RoundRow: "round_finished",
    CheckpointSavedData: "checkpoint_saved",
    RecoveredData: "recovered",
    ClientRefusedData: "client_refused",
    SiteChangedData: "site_changed",
    LogData: "log",
    ArtifactCreatedData: "artifact_created",
}

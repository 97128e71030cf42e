"""Enrolment, the state of a site, and what a site says of itself."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from fedcore.sites.base import Answer, Asked, Count, Hex32, Hex64, Name, RuleName, Slug, Text, Time
from fedcore.spec.tasks import TaskName

_MOST_COLUMNS = 2000
_MOST_VALUES = 1000
_MOST_DATASETS = 50
_MOST_TASKS = 100


class SiteState(StrEnum):
    """What an identity is good for."""

    INVITED = "invited"  # a code exists; nobody has used it
    PENDING = "pending"  # enrolled; it may send heartbeats and is given no work
    APPROVED = "approved"
    REVOKED = "revoked"  # refused at every request, for good


class Hardware(Asked):
    """What the site computes with."""

    cores: int = Field(ge=1, le=100_000)
    memory_bytes: Count
    disk_free_bytes: Count | None = None
    gpus: tuple[Name, ...] = Field((), max_length=64)
    system: Text = ""


class Agent(Asked):
    """Which program speaks for the site."""

    version: Name
    python: Name
    torch: Name | None = None


class EnrolmentRequest(Asked):
    """A site shows its one-time code and the key that it has just made.

    Attributes:
        code: From the invitation.
        public_key: Ed25519; the private half stays on the site.
        proof: `fedcore.sites.signing.prove_enrolment`.
    """

    protocol: Literal[1]
    code: Annotated[str, Field(min_length=10, max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]
    public_key: Hex32
    proof: Hex64
    agent: Agent
    hardware: Hardware


class Limits(Answer):
    """How a site should behave towards this server."""

    heartbeat_s: float = Field(description="Send a heartbeat so often.")
    poll_s: float = Field(description="Ask for tasks so often while no websocket is open.")
    offline_after_s: float = Field(description="After so long without one the site is offline.")
    max_chunk_bytes: int = Field(description="Longest body of one upload request.")


class SiteStatus(Answer):
    """What the server knows of the site that asks."""

    protocol: int
    site_id: UUID
    name: str
    project: str
    state: SiteState
    fingerprint: str
    server_time: Time
    limits: Limits


class EnrolmentReply(SiteStatus):
    """The identity that an enrolment makes; somebody has to approve it."""


class KeyRotation(Asked):
    """A site replaces its key: the request is signed by the old one, the proof by the new one.

    From the answer on only the new key is good. A site that lost the answer asks for its status
    with the new key, then with the old one, and keeps the one that is let in.
    """

    public_key: Hex32
    proof: Hex64


class Column(Asked):
    """A column of a declared table: its meaning, never its rows.

    Attributes:
        kind: ``number``, ``category`` (codes, yes and no, a few words) or ``text``.
        values: Categories, if the site agrees to name them; empty otherwise.
        has_missing: Whether a value is missing somewhere.
        mean: Of the training rows, if the site agrees; with ``std``, to agree on a scale.
        std: Of the training rows, if the site agrees.
    """

    name: Name
    kind: Literal["number", "category", "text"]
    values: tuple[Annotated[str, Field(max_length=200)], ...] = Field((), max_length=_MOST_VALUES)
    has_missing: bool = False
    mean: float | None = None
    std: float | None = Field(None, ge=0)


class DatasetDeclaration(Asked):
    """A data set that a site offers: schema and counts.

    Attributes:
        name: How specs name it: ``dataset.name``.
        num_train: Examples to train on.
        num_test: Examples that the site holds out and tests on.
        columns: Of a table.
        task: What it was made for, if for one thing.
        class_counts: Training examples per class by the class's name, if the site agrees.
    """

    name: Slug
    title: Text = ""
    num_train: Count
    num_test: Count
    columns: tuple[Column, ...] = Field((), max_length=_MOST_COLUMNS)
    task: TaskName | None = None
    class_counts: dict[Annotated[str, Field(max_length=200)], Count] | None = Field(
        None, max_length=_MOST_VALUES
    )

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [column.name for column in self.columns]
        if len(set(names)) < len(names):
            raise ValueError("two columns have the same name")
        return self


class PolicyRule(Asked):
    """A rule of the site's policy in words."""

    name: RuleName
    sentence: Text


class PolicyDeclaration(Asked):
    """A copy of the policy, by which the server says beforehand what the site will refuse.

    It is the site that decides, by its own copy.

    Attributes:
        document: As `fedcore.sites.policy` reads it; None if the site does not show it.
        rules: In words.
    """

    document: dict[str, Any] | None = None
    rules: tuple[PolicyRule, ...] = Field((), max_length=100)


class TaskProgress(Asked):
    """A task that the site is at; naming it keeps it from being taken for abandoned."""

    task_id: UUID
    stage: Literal["waiting", "downloading", "training", "testing", "summing", "uploading"]
    fraction: float | None = Field(None, ge=0, le=1)


class Heartbeat(Asked):
    """A sign of life, with all that the server may know of the site.

    Attributes:
        state: ``paused``: the site takes on nothing for now; ``stopping``: it ends.
        sequence: Counts up from 0 at each start of the agent.
        waiting_for_approval: Tasks that a person on the site has to let through.
    """

    protocol: Literal[1]
    state: Literal["idle", "busy", "paused", "stopping"]
    sequence: Count
    agent: Agent
    hardware: Hardware
    datasets: tuple[DatasetDeclaration, ...] = Field((), max_length=_MOST_DATASETS)
    policy: PolicyDeclaration | None = None
    tasks: tuple[TaskProgress, ...] = Field((), max_length=_MOST_TASKS)
    waiting_for_approval: tuple[UUID, ...] = Field((), max_length=_MOST_TASKS)
    problems: tuple[Text, ...] = Field((), max_length=20)

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [dataset.name for dataset in self.datasets]
        if len(set(names)) < len(names):
            raise ValueError("two data sets have the same name")
        return self


class HeartbeatReply(Answer):
    """What the server knows now.

    Attributes:
        tasks: Whether tasks wait for the site.
        no_longer_wanted: Of the tasks that the heartbeat named, those to drop at once.
    """

    state: SiteState
    server_time: Time
    tasks: bool
    no_longer_wanted: tuple[UUID, ...] = ()
    limits: Limits


class Hint(Answer):
    """A frame of the websocket: something has changed, ask. Losing one loses nothing."""

    kind: Literal["tasks", "status", "alive"]
    server_time: Time


class Refused(Answer):
    """Every error of the server: the shape of its whole API.

    ``code`` is one of `ErrorCode` where a site has to react to it.
    """

    code: str
    message: str
    fields: dict[str, list[str]] = Field(default_factory=dict)


class ErrorCode(StrEnum):
    """Errors that a site has to react to."""

    BAD_SIGNATURE = "bad_signature"  # 401; also for a site that is not known
    CLOCK_SKEW = "clock_skew"  # 401; the Date header of the answer is the server's time
    REPLAYED = "replayed"  # 401; the nonce was used
    NOT_APPROVED = "site_not_approved"  # 403; wait
    REVOKED = "site_revoked"  # 403; stop
    CODE_INVALID = "enrolment_code_invalid"  # 404; unknown, used, expired or withdrawn
    NOT_WANTED = "task_not_wanted"  # 409; drop the task
    WRONG_OFFSET = "wrong_offset"  # 409; ask for the UploadState and go on from there
    CHECKSUM = "checksum_differs"  # 422; begin the upload again

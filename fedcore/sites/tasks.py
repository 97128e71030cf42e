"""The work of a round: what a site is asked for, and what it answers."""

from __future__ import annotations

from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import Field

from fedcore.sites.base import (
    Answer,
    Asked,
    Count,
    Hex32OrNothing,
    Name,
    RuleName,
    Sha256,
    Slug,
    Text,
    Time,
)

_MOST_COLUMNS = 64


class TaskKind(StrEnum):
    """What a task asks for, and which bytes go down and up.

    ``train`` and ``evaluate`` take a `fedcore.wire` message down. Training sends a `fedcore.wire`
    update up; a test sends no bytes, its sums are in the `TaskResult`. Where sums are secure,
    ``secure_keys`` takes the place of ``train``: the site trains, keeps what comes of it, and shows
    its keys. The stages of a secure sum exchange the JSON of `fedcore.sites.secure`, except for
    that model, and for the masked vector, whose bytes are the ring's words, little-endian.
    """

    TRAIN = "train"
    EVALUATE = "evaluate"
    KEYS = "secure_keys"
    SHARES = "secure_shares"
    MASKED = "secure_masked"
    CONFIRM = "secure_confirm"
    UNMASK = "secure_unmask"

    @property
    def trains(self) -> bool:
        """Whether the site trains for it, so that it is the first stage of a round."""
        return self in (TaskKind.TRAIN, TaskKind.KEYS)

    @property
    def is_secure(self) -> bool:
        """Whether it is a stage of a secure sum."""
        return self not in (TaskKind.TRAIN, TaskKind.EVALUATE)

    @property
    def needs_model(self) -> bool:
        """Whether the site computes with the model for it."""
        return self.trains or self is TaskKind.EVALUATE


class Blob(Answer):
    """Bytes that can be fetched in pieces."""

    sha256: Sha256
    size_bytes: Count


class Task(Answer):
    """One thing that one site is asked to do, for as long as it is wanted.

    Attributes:
        dataset: Which of the site's declared data sets.
        client_id: The number of the site in this run.
        cohort_size: Sites that were asked in this round.
        message: What to start from; the same bytes for several tasks where their hash is the same.
        deadline_at: The round goes on without the site after this.
        max_result_bytes: A longer upload is refused.
        attempt: Counts up when the same part of the same round is asked for again.
        sum_number: Which of the run's secure sums a stage belongs to; counts up.
    """

    task_id: UUID
    kind: TaskKind
    run_id: UUID
    spec_digest: Sha256
    dataset: Slug
    round_index: Count
    client_id: Count
    cohort_size: Count
    attempt: int = Field(ge=1)
    message: Blob | None
    opened_at: Time
    deadline_at: Time | None
    max_result_bytes: Count
    sum_number: Count | None = None


class TaskList(Answer):
    """What waits for a site, oldest first; what it has accepted and not ended is among it."""

    tasks: tuple[Task, ...]
    server_time: Time


class Member(Answer):
    """A site of a run, as the others see it.

    Attributes:
        public_key: Ed25519, which the messages of a secure sum are signed with. A site that keeps
            its own list of keys, from another source, is safe from a server that makes up sites.
            Empty in runs that are older than secure sums.
    """

    client_id: Count
    site_id: UUID
    name: str
    public_key: Hex32OrNothing


class RunDescription(Answer):
    """What a site's policy decides by, and its training needs.

    Attributes:
        spec: The document of a `fedcore.spec.RunSpec`; a site parses it again and compares the
            digest with that of the task.
    """

    run_id: UUID
    name: str
    project: str
    launched_by: str
    spec: dict[str, Any]
    spec_digest: Sha256
    members: tuple[Member, ...]


class Refusal(Asked):
    """A site does not do a task.

    Attributes:
        rule: Name of the policy rule that refused, in the site's policy.
        message: A sentence for the people of both sides.
        fix: A sentence that says what would be let through.
        is_final: Whether the site would refuse every round of this run, so that it is asked no
            more; else it is asked again in the next round.
    """

    rule: RuleName
    message: Text
    fix: Text = ""
    is_final: bool = True


class TaskFailure(Asked):
    """A site could not do a task, though it wanted to.

    Attributes:
        code: Of a `fedcore.errors.FedcoreError`, or ``internal``.
        message: What a person needs; no rows, no paths.
        can_retry: Whether the same task may succeed a second time.
    """

    code: Name
    message: Text
    can_retry: bool = False


class UploadState(Answer):
    """How much of a task's bytes the server has."""

    received_bytes: Count


class TaskResult(Asked):
    """A task is done.

    Attributes:
        sha256: Of the uploaded bytes; None where none were.
        size_bytes: Of them.
        seconds: How long the work took on the site.
        num_examples: Trained on, or tested.
        tally: Of a test: sums over the held-out examples, as `fedcore.tasks.Task.tally` has
            columns, from which the server computes the metrics of all sites together.
    """

    sha256: Sha256 | None = None
    size_bytes: Count = 0
    seconds: float = Field(ge=0, le=1e9)
    num_examples: Count
    tally: tuple[float, ...] | None = Field(None, max_length=_MOST_COLUMNS)
    remark: Text = ""
    agent_version: Name | None = None

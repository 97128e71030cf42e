"""A round that is with the sites, as whoever opens and closes it knows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from fedcore.sites.tasks import TaskKind
from webapp.artifacts.services import StoredFile


@dataclass(frozen=True, slots=True)
class Errand:
    """What one site is asked in a stage; ``version`` is the round of its model, if another."""

    client_id: int
    message: StoredFile
    max_result_bytes: int
    version: int | None = None


@dataclass(frozen=True, slots=True)
class MaskedSum:
    """The sum of the masked vectors of a round, and whose they are."""

    key: str
    sha256: str
    client_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Flights:
    """The sites at work in a round that does not wait for all of them.

    Attributes:
        versions: By client, the round whose model it was sent.
        due: So many updates end the training; None leaves that to the time.
        seconds: How long the training lasts then.
        restarts_at_once: Whether the place of a site that has delivered is taken before it ends.
    """

    versions: Mapping[int, int]
    due: int | None
    seconds: float | None
    restarts_at_once: bool


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a round, as it is opened.

    Attributes:
        kind: What sites are asked for.
        reachable: Clients among which the cohort was chosen.
        errands: What each of the cohort is asked.
        limit_s: How long each site may take.
        masked: The sum of the vectors that this closes, if it does; they are removed one by one.
        enough: So many answers are enough if the other sites are offline; None waits for them.
        flights: Of training that does not wait for everybody.
        landed: Of the stage after that: the sites that the round is done with.
        is_last: Whether nobody trains after it, so that sites that still do are let go.
    """

    kind: TaskKind
    reachable: tuple[int, ...]
    errands: tuple[Errand, ...]
    limit_s: float
    masked: MaskedSum | None = None
    enough: int | None = None
    flights: Flights | None = None
    landed: tuple[int, ...] | None = None
    is_last: bool = False

    @property
    def lasts_s(self) -> float:
        """How long it may take, unless each site at work has a time of its own."""
        seconds = None if self.flights is None else self.flights.seconds
        return self.limit_s if seconds is None else seconds

    @property
    def cohort_size(self) -> int:
        """How many sites are asked, or how many updates are used of those that are at work."""
        if self.flights is None:
            return len(self.errands)
        at_work = len(self.flights.versions)
        return min(self.flights.due or at_work, at_work)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What has become of one site's task; without a key or a tally there is nothing of use."""

    status: Literal["ok", "refused", "failed", "late", "lost"]
    reason: str = ""
    key: str = ""
    sha256: str = ""
    seconds: float = 0.0
    num_bytes: int = 0
    message_bytes: int = 0
    message_sha256: str = ""
    num_examples: int = 0
    tally: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class RoundOnSites:
    """What is known of a round that is with the sites.

    Attributes:
        stage: What they are asked for.
        reachable: Clients among which the cohort was chosen.
        opened_at: When it was opened.
        deadline_at: When somebody has to go on with it.
        is_answered: Whether its stage needs no more answers.
        has_enough: Whether it can do without those that are missing.
        sum_number: Which of the run's secure sums is made.
        masked: The sum of the masked vectors, once they are added up.
        flights: Sites whose updates it can use, with the rounds of their models; None if all train.
        replaced: Those whose place is taken already, in the order in which they have delivered.
        begun: Who has taken it, for a later round.
        vacant: Those whose place can be taken now, after ``replaced``.
        outcomes: What has come of it, by stage and client.
    """

    stage: TaskKind
    reachable: tuple[int, ...]
    opened_at: datetime
    deadline_at: datetime
    is_answered: bool
    has_enough: bool = False
    sum_number: int | None = None
    masked: MaskedSum | None = None
    flights: Mapping[int, int] | None = None
    replaced: tuple[int, ...] = ()
    begun: tuple[int, ...] = ()
    vacant: tuple[int, ...] = ()
    outcomes: Mapping[TaskKind, Mapping[int, Outcome]] = field(default_factory=dict)

    @property
    def landed(self) -> tuple[int, ...] | None:
        """Sites that the round is done with; None where it waits for all."""
        return None if self.flights is None else tuple(self.outcomes.get(TaskKind.TRAIN, {}))

    @property
    def at_work(self) -> set[int]:
        """Sites that go on training when the round is over."""
        return (set(self.flights or ()) - set(self.landed or ())) | set(self.begun)

    def is_over(self, now: datetime) -> bool:
        """Return whether the stage can be closed."""
        return self.is_answered or self.has_enough or now >= self.deadline_at


@dataclass(frozen=True, slots=True)
class Candidates:
    """Who can be asked in the next round, and why the others cannot; by client."""

    reachable: tuple[int, ...]
    out: Mapping[int, str]


def errands_of(
    clients: Sequence[int], message: StoredFile, max_result_bytes: int
) -> tuple[Errand, ...]:
    """Return the same for each of some clients."""
    return tuple(Errand(client, message, max_result_bytes) for client in clients)

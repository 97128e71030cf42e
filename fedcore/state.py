"""Everything that outlives a round, as one value.

A round is a function from one state to the next, so a run can stop between any two rounds, be
saved, and go on in another process with the same numbers. An interrupted round has changed nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from fedcore.messages import Message
from fedcore.params import Params, Section

#: Values that JSON can hold; what is not a tensor is kept as such.
Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

#: Name of the section of the state, and of messages, that holds the global model.
MODEL = "model"
#: Name of the section of the state, of messages and of updates that holds the model's buffers.
BUFFERS = "buffers"


@dataclass(frozen=True, eq=False)
class ClientState:
    """What is kept of one client between rounds, by itself or by the server; it never travels.

    Attributes:
        sections: Tensors of the method.
        values: Other things of the method.
        memory: What compression has left out so far, by section of the updates.
    """

    sections: Mapping[str, Section]
    values: Mapping[str, Json] = field(default_factory=dict)
    memory: Mapping[str, Section] = field(default_factory=dict)

    @property
    def of_method(self) -> ClientState | None:
        """What the method keeps; None if that is nothing."""
        if not self.sections and not self.values:
            return None
        return ClientState(self.sections, self.values)


class ClientStore(Mapping[int, ClientState]):
    """What is kept of clients, by id; a client appears when something of it is first kept."""

    def __init__(self, states: Mapping[int, ClientState] | None = None) -> None:
        self._states = dict(states or {})

    def __getitem__(self, client_id: int) -> ClientState:
        return self._states[client_id]

    def __iter__(self) -> Iterator[int]:
        return iter(self._states)

    def __len__(self) -> int:
        return len(self._states)

    def updated(self, changes: Mapping[int, ClientState]) -> ClientStore:
        """Return a store in which some clients keep something new."""
        return ClientStore({**self._states, **changes}) if changes else self


@dataclass(frozen=True, eq=False)
class Broadcast:
    """What clients know of the server, where the server sends changes only.

    Attributes:
        sections: What everybody holds who received the last message.
        heard: By client, the round in which it last received one.
    """

    sections: Mapping[str, Section] = field(default_factory=dict)
    heard: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Flight:
    """A client at work, from the message that it was sent until its update arrives.

    Attributes:
        message: What it was sent, as it sees it; ``base_version`` is the round of the sending.
        bytes_down: Size of that on the wire.
        since: First round that could have used its update.
        seconds: How long it takes altogether, on the clock of the simulated clients.
        arrives_in_s: How long it still takes, seen from the state that holds this.
        is_lost: Whether its update never arrives.
    """

    message: Message
    bytes_down: int
    since: int
    seconds: float
    arrives_in_s: float
    is_lost: bool


@dataclass(frozen=True)
class Totals:
    """Sums over all rounds so far.

    Attributes:
        rounds: Rounds completed.
        bytes_up: Bytes from clients to the server.
        bytes_down: Bytes from the server to clients.
        seconds: Measured time.
        sim_seconds: Time on the clock of the simulated clients.
    """

    rounds: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    seconds: float = 0.0
    sim_seconds: float = 0.0


@dataclass(frozen=True)
class Stopping:
    """What decides whether a run ends before its last round.

    Attributes:
        is_target_met: Whether a test has reached ``evaluation.target``.
        best_loss: Lowest test loss so far.
        tests_without_gain: Tests since then.
        unused_in_a_row: Updates that an asynchronous server could not use since one that it could.
    """

    is_target_met: bool = False
    best_loss: float | None = None
    tests_without_gain: int = 0
    unused_in_a_row: int = 0


@dataclass(frozen=True, eq=False)
class RunState:
    """State between two rounds.

    Attributes:
        round_index: Rounds completed, which is the index of the next one.
        tensors: Sections that the server keeps; ``model`` always, others by method.
        clients: What clients keep for themselves.
        records: What the server keeps of each client, such as its last update.
        flights: Clients that are still at work, by id; none between synchronous rounds.
        combined: What the last round's updates came to, for aggregators that start from it.
        kernels: How local steps are computed, so that a resumed run rounds as before; empty before
            the run has begun.
        broadcast: What clients know of the server, where only changes are sent.
        norms: Lengths of the latest updates that were let in; they bound the next ones.
        method: What the method keeps besides tensors.
        sampler: What the sampler keeps.
        ledger: Noisy sums released so far, for the account of privacy.
        privacy: What keeps the promises of the run: its noise, and the clip of the next round.
        totals: Sums over all rounds; its ``sim_seconds`` is the virtual clock.
        metrics: Latest value of each metric.
        stopping: Whether the run should end early.
    """

    round_index: int
    tensors: Mapping[str, Section]
    clients: ClientStore = field(default_factory=ClientStore)
    records: ClientStore = field(default_factory=ClientStore)
    flights: Mapping[int, Flight] = field(default_factory=dict)
    combined: Mapping[str, Section] = field(default_factory=dict)
    broadcast: Broadcast = field(default_factory=Broadcast)
    norms: tuple[float, ...] = ()
    kernels: str = ""
    method: Mapping[str, Json] = field(default_factory=dict)
    sampler: Mapping[str, Json] = field(default_factory=dict)
    ledger: tuple[Mapping[str, Json], ...] = ()
    privacy: Mapping[str, Json] = field(default_factory=dict)
    totals: Totals = Totals()
    metrics: Mapping[str, float] = field(default_factory=dict)
    stopping: Stopping = Stopping()

    @property
    def model(self) -> Params:
        """The global model."""
        model = self.tensors[MODEL]
        if not isinstance(model, Params):
            raise TypeError("the global model is not one vector")
        return model

"""What server and clients send each other: named sections of tensors, and a few numbers.

Weights, prototypes, masks, seeds or factors are all just sections, so a method decides what
travels and nothing else has to know. The same objects are counted, checked and put on the wire.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from torch import Tensor

from fedcore.params import Params, Section


@dataclass(frozen=True, kw_only=True, eq=False)
class Message:
    """What the server sends to one client.

    Attributes:
        sections: Tensors by section and name; FedAvg sends the section ``model``.
        scalars: Numbers by name.
        base_version: Number of server steps that made the model in it.
    """

    sections: Mapping[str, Section]
    base_version: int
    scalars: Mapping[str, float] = field(default_factory=dict)

    def tensors(self) -> Iterator[Tensor]:
        """Return all tensors, section by section."""
        for section in self.sections.values():
            yield from section.values()

    def blocks(self) -> Iterator[Tensor]:
        """Return the same numbers in as few tensors as possible, for what is done to all alike."""
        for section in self.sections.values():
            if isinstance(section, Params):
                yield section.flat
            else:
                yield from section.values()


@dataclass(frozen=True)
class Arrival:
    """What the server knows of an update's way, whatever the client says.

    Attributes:
        staleness: Server steps since the model that the client started from; 0 in a synchronous
            round.
        rounds: Rounds since the client could have delivered, this one included; 1 in a synchronous
            round.
        seconds: How long the client took, on the clock of the simulated clients.
    """

    staleness: int = 0
    rounds: int = 1
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Update(Message):
    """What one client returns.

    Attributes:
        client_id: Who sends it.
        weight: How much it counts in a weighted mean, as a rule the number of examples.
        base_version: Version of the model that the client started from.
        arrival: What the server adds when it lets the update in; it does not travel.
    """

    client_id: int
    weight: float
    arrival: Arrival = Arrival()

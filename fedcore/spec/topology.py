"""Who talks to whom: everybody with one server, or clients with their neighbours."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from fedcore.spec.base import BASIC, Choice

#: Methods that need a server refuse these.
_WITHOUT_SERVER: dict[str, Any] = {"algorithm": {"kind": "dfedsam"}, "sampling": {"kind": "full"}}


class TopologySpec(Choice):
    """Who talks to whom.

    Attributes:
        has_server: Whether clients talk to a server, and not to each other.
    """

    section: ClassVar[str] = "topology"
    has_server: ClassVar[bool] = False

    def num_neighbours(self, clients: int) -> int:
        """Return how many others a client exchanges its model with; all have as many."""
        raise NotImplementedError


class StarSpec(TopologySpec):
    """Every client talks to one server."""

    title: ClassVar[str] = "Star"
    synonyms: ClassVar[tuple[str, ...]] = ("central server", "client-server")
    has_server: ClassVar[bool] = True

    kind: Literal["star"] = "star"

    def num_neighbours(self, clients: int) -> int:  # noqa: ARG002
        """Return 0: clients do not know each other."""
        return 0


class RingSpec(TopologySpec):
    """Clients sit in a circle, and each talks to the one before and the one after it.

    The fewest messages, and the slowest way to agree.
    """

    title: ClassVar[str] = "Ring"
    synonyms: ClassVar[tuple[str, ...]] = ("ring topology", "ring of clients")
    example: ClassVar[dict[str, Any]] = _WITHOUT_SERVER

    kind: Literal["ring"] = "ring"

    def num_neighbours(self, clients: int) -> int:
        """Return 2, or fewer where there are no more clients."""
        return min(2, clients - 1)


class TorusSpec(TopologySpec):
    """Clients sit on a grid without edges, and each talks to the four around it.

    The grid is as square as the number of clients allows.
    """

    title: ClassVar[str] = "Torus"
    synonyms: ClassVar[tuple[str, ...]] = ("torus topology", "grid of clients")
    constraints: ClassVar[tuple[str, ...]] = ("the number of clients must not be a prime",)
    example: ClassVar[dict[str, Any]] = _WITHOUT_SERVER

    kind: Literal["torus"] = "torus"

    @staticmethod
    def num_rows(clients: int) -> int:
        """Return the number of rows: the largest divisor up to the root."""
        return max(rows for rows in range(1, int(clients**0.5) + 1) if clients % rows == 0)

    def num_neighbours(self, clients: int) -> int:
        """Return 4, or fewer where two of them are the same client."""
        rows = self.num_rows(clients)
        return min(2, rows - 1) + min(2, clients // rows - 1)


class CompleteSpec(TopologySpec):
    """Every client talks to every other.

    One exchange makes all models the same, and it costs as many messages as there are pairs.
    """

    title: ClassVar[str] = "Complete graph"
    synonyms: ClassVar[tuple[str, ...]] = ("fully connected clients", "all to all", "full mesh")
    example: ClassVar[dict[str, Any]] = _WITHOUT_SERVER

    kind: Literal["complete"] = "complete"

    def num_neighbours(self, clients: int) -> int:
        """Return all others."""
        return clients - 1


class RandomTopologySpec(TopologySpec):
    """Every client talks to so many others, drawn anew in every round.

    The graph of a round is connected and regular: a ring in random order, with chords of random
    lengths that are the same for all.
    """

    title: ClassVar[str] = "Random neighbours"
    synonyms: ClassVar[tuple[str, ...]] = ("random regular graph", "random graph")
    example: ClassVar[dict[str, Any]] = _WITHOUT_SERVER

    kind: Literal["random"] = "random"
    degree: int = Field(
        4,
        ge=2,
        le=1_000_000,
        description="Neighbours of each client; an even number if that of clients is odd.",
        json_schema_extra=BASIC,
    )

    def num_neighbours(self, clients: int) -> int:
        """Return the degree, or the largest below it that so many clients can have."""
        degree = min(self.degree, clients - 1)
        return degree - (degree * clients) % 2

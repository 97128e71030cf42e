"""What a round says about itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["ok", "refused", "failed", "lost", "late"]


@dataclass(frozen=True)
class ClientReport:
    """One client's part in a round.

    Attributes:
        client_id: Which client.
        num_samples: Training examples it holds.
        loss: Mean training loss; None if it did not finish.
        duration_s: Measured time of its work.
        bytes_up: Size of its update on the wire; 0 if it sent none.
        bytes_down: Size of what it received.
        status: ``ok``, ``refused`` by the server, ``failed``, or, in simulation, ``lost`` on the
            way or too ``late`` for the deadline.
        reason: Why, unless ``ok``; what is odd about it, if ``ok``.
        update_norm: Length of its update as the server sees it; None if there is none.
        sim_seconds: How long it took on the clock of the simulated clients.
    """

    client_id: int
    num_samples: int
    loss: float | None
    duration_s: float
    bytes_up: int
    bytes_down: int
    status: Status
    reason: str | None = None
    update_norm: float | None = None
    sim_seconds: float = 0.0


@dataclass(frozen=True)
class ClientScore:
    """How the model does on one client's own test examples."""

    client_id: int
    num_samples: int
    metrics: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        """Return client, number of examples and metrics side by side."""
        counted = {"client_id": self.client_id, "num_samples": self.num_samples}
        return {**counted, **self.metrics}


@dataclass(frozen=True)
class RoundReport:
    """A finished round.

    Attributes:
        round_index: Which round, from 0.
        metrics: ``train_loss``; after a test also those of the task, and figures over clients
            (``client_accuracy_...``) if the spec asks for them.
        bytes_up: From the cohort to the server.
        bytes_down: From the server to the cohort.
        seconds: Measured time.
        sim_seconds: Time on the clock of the simulated clients.
        participants: Clients whose updates were used.
        clients: The whole cohort, sorted by id.
        scores: Every client that has test examples, if the spec asks for it and a test was due.
        executor: How the clients' work was done.
        adversaries: Clients of the cohort that attacked; any at all marks a simulated attack.
        warnings: What the user should know, in sentences.
        links: Pairs of clients that talked to each other, each once; none where there is a server,
            and none where there are more than can be told apart (``fedcore.topology.MAX_PAIRS``).
    """

    round_index: int
    metrics: Mapping[str, float]
    bytes_up: int
    bytes_down: int
    seconds: float
    sim_seconds: float
    participants: int
    clients: tuple[ClientReport, ...]
    scores: tuple[ClientScore, ...]
    executor: str
    adversaries: tuple[int, ...] = ()
    warnings: tuple[str, ...] = ()
    links: tuple[tuple[int, int], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain JSON values; numbers that are not finite become None."""
        return {
            **_finite({name: getattr(self, name) for name in _PLAIN_FIELDS}),
            "metrics": _finite(self.metrics),
            "clients": [_finite(vars(client)) for client in self.clients],
            "scores": [_finite(score.to_json()) for score in self.scores],
            "adversaries": list(self.adversaries),
            "warnings": list(self.warnings),
            "links": [list(pair) for pair in self.links],
        }


_PLAIN_FIELDS = (
    "round_index",
    "bytes_up",
    "bytes_down",
    "seconds",
    "sim_seconds",
    "participants",
    "executor",
)


def _finite(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields with None for numbers that are not finite, which JSON cannot hold."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in fields.items()
    }

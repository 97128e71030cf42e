"""Which clients take part in a round."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from fedcore.spec.base import BASIC, Choice, either, instead_of, slider


class SamplingSpec(Choice):
    """Which clients take part in a round.

    Attributes:
        uses_losses: Whether it prefers clients by the losses that they report.
        can_be_empty: Whether a round may have nobody at all.
    """

    section: ClassVar[str] = "sampling"
    uses_losses: ClassVar[bool] = False
    can_be_empty: ClassVar[bool] = False

    def cohort_size(self, clients: int) -> int:
        """Return how many of ``clients`` clients one round has."""
        return clients


class FullSamplingSpec(SamplingSpec):
    """Every client takes part in every round."""

    title: ClassVar[str] = "All clients"
    synonyms: ClassVar[tuple[str, ...]] = (
        "full participation", "everyone", "all", "every client participates",
        "all clients participate", "all clients take part", "every client takes part",
        "with all clients", "all of the clients", "all clients in every round",
        "everybody takes part", "every client in every round", "alle Clients machen mit",
        "alle Clients nehmen teil", "alle Clients", "volle Teilnahme", "alle Teilnehmer",
        "tous les clients", "tous les clients participent", "participation complète",
        "participan todos los clientes", "todos los clientes", "participación completa",
        "所有客户端", "所有客户端都参与", "全部客户端", "全员参与",
    )  # fmt: skip

    kind: Literal["full"] = "full"


class CohortSpec(SamplingSpec):
    """A sampler that takes a share, or a number, of the clients."""

    fraction: float | None = Field(
        0.5,
        gt=0,
        le=1,
        description="Share of all clients; leave empty when a count is given.",
        json_schema_extra=BASIC | slider(0.01, 1),
    )
    count: int | None = Field(
        None,
        ge=1,
        description="Number of clients instead of a share.",
        json_schema_extra=instead_of("fraction"),
    )

    @model_validator(mode="before")
    @classmethod
    def _count_replaces_fraction(cls, data: Any) -> Any:
        return either(data, "fraction", "count")

    def cohort_size(self, clients: int) -> int:
        """Return ``count``, or the share of the clients rounded to the nearest, at least one."""
        if self.count is not None:
            return min(self.count, clients)
        return min(clients, max(1, math.floor((self.fraction or 1.0) * clients + 0.5)))


class RandomSamplingSpec(CohortSpec):
    """A fresh uniform sample without replacement in every round."""

    title: ClassVar[str] = "Random clients"
    synonyms: ClassVar[tuple[str, ...]] = (
        "client fraction", "uniform sampling", "partial", "random sampling", "random selection",
        "at random", "zufällig", "zufällige Auswahl", "au hasard", "al azar",
        "随机采样", "随机抽样",
    )  # fmt: skip

    kind: Literal["random"] = "random"


class PoissonSamplingSpec(CohortSpec):
    """Every client decides for itself whether it takes part, all with the same chance.

    So cohorts differ in size, and now and then one may be empty. Accounts of differential privacy
    are tightest for it.
    """

    title: ClassVar[str] = "Poisson sampling"
    paper: ClassVar[str | None] = "McMahan et al., ICLR 2018, arXiv:1710.06963"
    synonyms: ClassVar[tuple[str, ...]] = (
        "poisson", "independent sampling", "bernoulli sampling", "Poisson-Stichprobe",
        "Poisson-Auswahl", "échantillonnage de Poisson", "muestreo de Poisson", "泊松采样",
    )  # fmt: skip
    can_be_empty: ClassVar[bool] = True

    kind: Literal["poisson"] = "poisson"

    def chance(self, clients: int) -> float:
        """Return how likely each of so many clients is to take part in a round."""
        if self.count is not None:
            return min(1.0, self.count / clients)
        return self.fraction or 1.0


class RoundRobinSpec(CohortSpec):
    """The clients take turns, in the order of their numbers."""

    title: ClassVar[str] = "Round robin"
    paper: ClassVar[str | None] = "Mawela et al. 2024, arXiv:2408.13010"
    synonyms: ClassVar[tuple[str, ...]] = (
        "take turns", "cyclic", "in turns", "one after the other in turn", "reihum",
        "abwechselnd", "à tour de rôle", "por turnos", "轮流",
    )  # fmt: skip

    kind: Literal["round_robin"] = "round_robin"


class LatencyProportionalSpec(CohortSpec):
    """Fast clients are drawn more often: the chance falls with the time a client takes.

    Times are those of the simulated clients; a client that has not been timed yet counts as the
    median of the others.
    """

    title: ClassVar[str] = "Latency proportional"
    paper: ClassVar[str | None] = "Mawela et al. 2024, arXiv:2408.13010"
    synonyms: ClassVar[tuple[str, ...]] = (
        "latency", "fast clients first", "latency-aware", "prefer fast clients",
        "fast clients more often", "schnelle Clients bevorzugt", "clients rapides",
        "clientes rápidos", "延迟优先",
    )  # fmt: skip

    kind: Literal["latency_proportional"] = "latency_proportional"
    smoothing: float = Field(
        0.3, gt=0, le=1, description="Weight of the newest time in a client's running mean."
    )


class OortSpec(CohortSpec):
    """Clients with a high loss and short rounds are preferred, new ones are explored."""

    title: ClassVar[str] = "Oort"
    paper: ClassVar[str | None] = "Lai et al., OSDI 2021, arXiv:2010.06081"
    synonyms: ClassVar[tuple[str, ...]] = ("guided participant selection", "utility-based")
    uses_losses: ClassVar[bool] = True

    kind: Literal["oort"] = "oort"
    exploration: float = Field(
        0.9, ge=0, le=1, description="Share of a cohort that is new clients, at the start."
    )
    exploration_decay: float = Field(
        0.98, gt=0, le=1, description="Factor on that share per round."
    )
    exploration_min: float = Field(0.2, ge=0, le=1, description="Least share of new clients.")
    cutoff: float = Field(
        0.95, gt=0, le=1, description="Scores this close to the last chosen one may win too."
    )
    clip: float = Field(
        0.95, gt=0, le=1, description="Quantile at which utilities are capped, against outliers."
    )
    penalty: float = Field(
        2.0, ge=0, le=100, description="Exponent of the penalty on slow clients; 0 is none."
    )
    preferred_percentile: float = Field(
        30.0, gt=0, le=100, description="Percentile of the times that counts as fast, at the start."
    )
    pacer_step: float = Field(
        10.0, ge=0, le=100, description="Percentile points that the pacer adds or takes away."
    )
    pacer_window: int = Field(20, ge=1, le=100_000, description="Rounds between the pacer's looks.")

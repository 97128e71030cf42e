"""How the server combines the updates of a cohort.

Robust rules count every update alike: a client that lies about its update also lies about its
number of examples.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from fedcore.spec.base import BASIC, Choice, either, instead_of


class AggregationSpec(Choice):
    """How the server combines the updates of a cohort."""

    section: ClassVar[str] = "aggregation"

    @property
    def needs_individual_updates(self) -> bool:
        """Whether the server has to hold all updates of a cohort at the same time."""
        return False

    def num_required(self, cohort: int) -> int:  # noqa: ARG002
        """Return how many updates the rule needs to work on a cohort of this size."""
        return 1


class MeanSpec(AggregationSpec):
    """Weighted mean."""

    title: ClassVar[str] = "Mean"
    synonyms: ClassVar[tuple[str, ...]] = (
        "average", "weighted average", "plain average", "averaging", "Mittelwert", "moyenne",
        "promedio", "平均",
    )  # fmt: skip

    kind: Literal["mean"] = "mean"
    weighting: Literal["samples", "uniform"] = Field(
        "samples", description="Weight clients by their number of examples, or all alike."
    )


class RobustSpec(AggregationSpec):
    """A rule that compares the updates of a cohort with each other."""

    @property
    def needs_individual_updates(self) -> bool:
        """True: memory grows with the cohort."""
        return True


class BoundedSpec(RobustSpec):
    """A rule that is told how many bad clients a cohort may have at most."""

    byzantine_fraction: float | None = Field(
        0.2,
        ge=0,
        lt=0.5,
        description="Largest share of bad clients in a cohort; empty when a count is given.",
        json_schema_extra=BASIC,
    )
    byzantine_count: int | None = Field(
        None,
        ge=0,
        description="Largest number of bad clients in a cohort instead of a share.",
        json_schema_extra=instead_of("byzantine_fraction"),
    )

    @model_validator(mode="before")
    @classmethod
    def _count_replaces_fraction(cls, data: Any) -> Any:
        return either(data, "byzantine_fraction", "byzantine_count")

    def num_byzantine(self, cohort: int) -> int:
        """Return the bound for a cohort; a share is rounded up, as it is a bound."""
        if self.byzantine_count is not None:
            return self.byzantine_count
        return math.ceil((self.byzantine_fraction or 0.0) * cohort - 1e-9)


class MedianSpec(RobustSpec):
    """The median of every number of the model by itself."""

    title: ClassVar[str] = "Median"
    paper: ClassVar[str | None] = "Yin et al., ICML 2018, arXiv:1803.01498"
    synonyms: ClassVar[tuple[str, ...]] = (
        "coordinate-wise median", "coordinate median", "médiane", "mediana", "中位数",
    )  # fmt: skip

    kind: Literal["median"] = "median"


class TrimmedMeanSpec(BoundedSpec):
    """The mean of every number of the model, without the largest and the smallest ones.

    As many are dropped on each side as there may be bad clients.
    """

    title: ClassVar[str] = "Trimmed mean"
    paper: ClassVar[str | None] = "Yin et al., ICML 2018, arXiv:1803.01498"
    synonyms: ClassVar[tuple[str, ...]] = (
        "truncated mean", "trim outliers", "gestutzter Mittelwert", "getrimmtes Mittel",
        "getrimmter Mittelwert", "moyenne tronquée", "moyenne élaguée", "media recortada",
        "media truncada", "截尾均值", "修剪均值",
    )  # fmt: skip
    constraints: ClassVar[tuple[str, ...]] = ("needs more than 2f clients per round",)

    kind: Literal["trimmed_mean"] = "trimmed_mean"

    def num_required(self, cohort: int) -> int:
        """Return ``2f + 1``."""
        return 2 * self.num_byzantine(cohort) + 1


class KrumSpec(BoundedSpec):
    """The one update that is closest to the others."""

    title: ClassVar[str] = "Krum"
    paper: ClassVar[str | None] = "Blanchard et al., NeurIPS 2017, arXiv:1703.02757"
    constraints: ClassVar[tuple[str, ...]] = ("needs 2f + 3 clients per round",)

    kind: Literal["krum"] = "krum"

    def num_required(self, cohort: int) -> int:
        """Return ``2f + 3``."""
        return 2 * self.num_byzantine(cohort) + 3


class MultiKrumSpec(BoundedSpec):
    """The mean of the updates that are closest to the others."""

    title: ClassVar[str] = "Multi-Krum"
    paper: ClassVar[str | None] = "Blanchard et al., NeurIPS 2017, arXiv:1703.02757"
    synonyms: ClassVar[tuple[str, ...]] = ("multikrum", "m-krum")
    constraints: ClassVar[tuple[str, ...]] = ("needs 2f + 3 clients per round",)

    kind: Literal["multi_krum"] = "multi_krum"
    keep: int | None = Field(
        None, ge=1, description="Updates to average; empty is all but the bad ones and two."
    )

    def num_required(self, cohort: int) -> int:
        """Return ``2f + 3``, and at least ``keep``."""
        return max(2 * self.num_byzantine(cohort) + 3, self.keep or 1)


class GeometricMedianSpec(RobustSpec):
    """The point with the least sum of distances to all updates (RFA)."""

    title: ClassVar[str] = "Geometric median"
    paper: ClassVar[str | None] = "Pillutla et al., IEEE TSP 2022, arXiv:1912.13445"
    synonyms: ClassVar[tuple[str, ...]] = (
        "rfa", "robust federated averaging", "weiszfeld", "geometrischer Median",
        "geometrischen Median", "médiane géométrique", "mediana geométrica", "几何中位数",
    )  # fmt: skip

    kind: Literal["geometric_median"] = "geometric_median"
    iterations: int = Field(
        10, ge=0, le=1000, description="Weiszfeld steps from the mean; 0 is the mean."
    )
    smoothing: float = Field(
        1e-6, gt=0, le=1, description="Least distance that counts, so that none divides by zero."
    )


class BulyanSpec(BoundedSpec):
    """Krum's choice, one after another, then a mean around the median of every number."""

    title: ClassVar[str] = "Bulyan"
    paper: ClassVar[str | None] = "El Mhamdi et al., ICML 2018, arXiv:1802.07927"
    constraints: ClassVar[tuple[str, ...]] = ("needs 4f + 3 clients per round",)

    kind: Literal["bulyan"] = "bulyan"
    byzantine_fraction: float | None = Field(
        0.1,
        ge=0,
        lt=0.25,
        description="Largest share of bad clients in a cohort; empty when a count is given.",
        json_schema_extra=BASIC,
    )

    def num_required(self, cohort: int) -> int:
        """Return ``4f + 3``."""
        return 4 * self.num_byzantine(cohort) + 3


class NormClipSpec(AggregationSpec):
    """The mean of updates that are cut to a length.

    Without a length, that of the cohort's median update is taken, which needs all updates at once.
    """

    title: ClassVar[str] = "Norm clipping"
    paper: ClassVar[str | None] = "Sun et al. 2019, arXiv:1911.07963"
    synonyms: ClassVar[tuple[str, ...]] = (
        "clipped mean", "norm bounding", "clip updates", "norm clip", "clip the updates",
        "clipped updates", "clip updates to", "Normbegrenzung", "écrêtage", "recorte de norma",
        "范数裁剪",
    )  # fmt: skip

    kind: Literal["norm_clip"] = "norm_clip"
    max_norm: float | None = Field(
        None,
        gt=0,
        le=1e12,
        description="Longest update; empty is the median length of the cohort's.",
        json_schema_extra=BASIC,
    )

    @property
    def needs_individual_updates(self) -> bool:
        """Whether the length has to be found first."""
        return self.max_norm is None


class CenteredClippingSpec(AggregationSpec):
    """Steps from the last result towards the updates, each cut to a radius.

    Without a radius, the median distance of the cohort's updates is taken at every step.
    """

    title: ClassVar[str] = "Centred clipping"
    paper: ClassVar[str | None] = "Karimireddy et al., ICML 2021, arXiv:2012.10333"
    synonyms: ClassVar[tuple[str, ...]] = ("centered clipping", "cclip")

    kind: Literal["centered_clipping"] = "centered_clipping"
    radius: float | None = Field(
        None,
        gt=0,
        le=1e12,
        description="Longest step towards an update; empty is the cohort's median distance.",
        json_schema_extra=BASIC,
    )
    iterations: int = Field(1, ge=1, le=1000, description="Steps in each round.")

    @property
    def needs_individual_updates(self) -> bool:
        """Whether updates are looked at more than once."""
        return self.radius is None or self.iterations > 1

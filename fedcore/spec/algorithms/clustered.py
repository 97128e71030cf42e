"""Methods that make several global models, one for each group of clients that are alike."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from fedcore.spec.algorithms.base import ServerRateSpec
from fedcore.spec.base import BASIC, only_with


class OcflSpec(ServerRateSpec):
    """FedAvg until clients are told apart by their updates, once; then FedAvg in every cluster.

    Each round measures how unlike the directions of the clients' updates are. That figure, the
    temperature, falls while all learn what they have in common; when it first rises, clients are
    clustered for good. Every client must have taken part by then. The authors count clients alike,
    which ``aggregation.weighting: uniform`` does.
    """

    title: ClassVar[str] = "One-shot clustered FL"
    paper: ClassVar[str | None] = "Zuziak et al., IEEE BigData 2024, arXiv:2503.04231"
    synonyms: ClassVar[tuple[str, ...]] = (
        "ocfl",
        "clustered federated learning",
        "one-shot clustering",
        "groups of clients",
    )
    constraints: ClassVar[tuple[str, ...]] = (
        "aggregation must be mean",
        "models without running statistics",
    )
    needs_mean: ClassVar[bool] = True
    takes_parts: ClassVar[bool] = False  # the server compares the updates one by one
    needs_individual_updates: ClassVar[bool] = True
    has_one_model: ClassVar[bool] = False

    kind: Literal["ocfl"] = "ocfl"
    clustering: Literal["hdbscan", "mean_shift", "affinity", "kmeans"] = Field(
        "hdbscan",
        description="How clients are clustered by their distances.",
        json_schema_extra=BASIC,
    )
    min_cluster_size: int = Field(
        3,
        ge=2,
        le=10_000,
        title="Smallest cluster",
        description="Fewest clients of a cluster of hdbscan.",
        json_schema_extra=only_with("clustering", "hdbscan"),
    )
    num_clusters: int = Field(
        2,
        ge=1,
        le=10_000,
        description="Clusters of kmeans.",
        json_schema_extra=only_with("clustering", "kmeans"),
    )
    outliers: Literal["nearest", "together"] = Field(
        "nearest",
        description="Clients that hdbscan leaves over join the nearest cluster, or are one of "
        "their own, as in the authors' code.",
    )

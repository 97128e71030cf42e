"""The ways to divide a data set among the clients."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from fedcore.spec.base import BASIC, Choice, only_with, slider, unit

MAX_CLIENTS = 1_000_000

Clients = Annotated[
    int,
    Field(
        ge=1,
        le=MAX_CLIENTS,
        description="How many clients share the data.",
        json_schema_extra=BASIC,
    ),
]
MinSize = Annotated[
    int,
    Field(ge=1, le=1_000_000, description="Fewest training examples that any client may get."),
]


class PartitionSpec(Choice):
    """How the training examples are divided among the clients.

    Test examples are divided in the same proportions, so that a client can be tested on data like
    its own.
    """

    section: ClassVar[str] = "partition"
    #: Whether it needs a label, or a number in place of one, for each example.
    needs_labels: ClassVar[bool] = False

    clients: Clients = 20

    @property
    def smallest_share(self) -> int:
        """Fewest training examples that a client may have."""
        return int(getattr(self, "min_size", 1))


class IidPartitionSpec(PartitionSpec):
    """Every client holds a random, equal share."""

    title: ClassVar[str] = "IID"
    synonyms: ClassVar[tuple[str, ...]] = (
        "uniform", "homogeneous", "equal", "independent and identically distributed", "evenly",
        "gleichmäßig", "gleichmäßig verteilt", "gleichverteilt", "homogène", "uniformément",
        "homogéneo", "uniformemente", "独立同分布", "均匀",
    )  # fmt: skip

    kind: Literal["iid"] = "iid"


class DirichletPartitionSpec(PartitionSpec):
    """Label shares are drawn from a Dirichlet distribution: a small alpha is very uneven.

    ``per_class`` cuts every class among the clients, so sizes vary as well; ``per_client`` gives
    all clients the same size. Their alphas are not comparable.
    """

    title: ClassVar[str] = "Dirichlet"
    paper: ClassVar[str | None] = "Yurochkin et al. 2019; Hsu et al. 2019, arXiv:1909.06335"
    synonyms: ClassVar[tuple[str, ...]] = (
        "non-iid", "label skew", "heterogeneous", "uneven", "non iid", "nicht iid", "heterogen",
        "ungleich verteilt", "non-IID", "hétérogène", "no iid", "heterogéneo",
        "狄利克雷", "非独立同分布", "label-skewed", "skewed labels",
    )  # fmt: skip
    constraints: ClassVar[tuple[str, ...]] = ("needs labels",)
    needs_labels: ClassVar[bool] = True

    kind: Literal["dirichlet"] = "dirichlet"
    alpha: float = Field(
        0.5,
        gt=0,
        le=1e6,
        description="Concentration: 0.1 is extreme, 1 is mild, 100 is nearly equal.",
        json_schema_extra=BASIC | slider(0.01, 100, "log"),
    )
    mode: Literal["per_class", "per_client"] = Field(
        "per_class", description="Cut each class (sizes vary) or fill each client (equal sizes)."
    )
    min_size: MinSize = 2


class ShardsPartitionSpec(PartitionSpec):
    """Every client holds a few classes only.

    ``shards`` sorts the examples by label, cuts them into equal shards and gives each client some,
    which is McMahan's original; a shard may straddle two classes. ``classes`` gives each client
    exactly so many classes and splits each class evenly among its owners.
    """

    title: ClassVar[str] = "Shards"
    paper: ClassVar[str | None] = "McMahan et al. 2017, arXiv:1602.05629; Zhao et al. 2018"
    synonyms: ClassVar[tuple[str, ...]] = (
        "pathological", "two classes each", "label shards", "two classes per client",
        "pathologisch", "pathologique", "patológico", "病态",
    )  # fmt: skip
    constraints: ClassVar[tuple[str, ...]] = ("needs labels",)
    needs_labels: ClassVar[bool] = True

    kind: Literal["shards"] = "shards"
    classes_per_client: int = Field(
        2,
        ge=1,
        le=10_000,
        description="Shards, or classes, that each client gets.",
        json_schema_extra=BASIC,
    )
    mode: Literal["shards", "classes"] = Field(
        "shards", description="Equal shards of the sorted data, or whole classes split evenly."
    )

    @property
    def smallest_share(self) -> int:
        """Fewest training examples that a client may have."""
        return self.classes_per_client


class QuantityPartitionSpec(PartitionSpec):
    """Clients hold very different amounts of the same mix.

    ``dirichlet`` draws the sizes, the more unequal the smaller beta; ``power_law`` gives the k-th
    client a share proportional to ``k ** -exponent``.
    """

    title: ClassVar[str] = "Quantity skew"
    paper: ClassVar[str | None] = "Li et al. 2022, NIID-Bench, arXiv:2102.02079"
    synonyms: ClassVar[tuple[str, ...]] = (
        "unbalanced", "different sizes", "size skew", "unbalanced sizes", "unequal amounts",
        "ungleiche Mengen", "quantités inégales", "cantidades desiguales", "数量倾斜",
    )  # fmt: skip

    kind: Literal["quantity"] = "quantity"
    mode: Literal["dirichlet", "power_law"] = Field(
        "dirichlet", description="Law of the clients' sizes."
    )
    beta: float = Field(
        0.5,
        gt=0,
        le=1e6,
        description="Concentration of the Dirichlet sizes: 0.1 is extreme, 5 is mild.",
        json_schema_extra=BASIC | slider(0.05, 50, "log") | only_with("mode", "dirichlet"),
    )
    exponent: float = Field(
        1.0,
        ge=0,
        le=10,
        description="Steepness of the power law; 0 makes all clients alike.",
        json_schema_extra=slider(0, 3) | only_with("mode", "power_law"),
    )
    min_size: MinSize = 2


class FeaturePartitionSpec(PartitionSpec):
    """Clients hold the same mix of labels, but their inputs look different.

    Each client changes its inputs by a fixed function of its own, for training and testing alike:
    ``noise`` adds Gaussian noise that grows from client to client, ``rotation`` turns images by
    angles that go evenly from one side to the other, ``contrast`` scales the distance of an input
    from its mean.
    """

    title: ClassVar[str] = "Feature skew"
    paper: ClassVar[str | None] = "Li et al. 2022, NIID-Bench, arXiv:2102.02079"
    synonyms: ClassVar[tuple[str, ...]] = (
        "noisy clients", "rotated", "covariate shift", "feature shift", "Merkmalsverschiebung",
    )  # fmt: skip
    constraints: ClassVar[tuple[str, ...]] = ("needs images or numbers; rotation needs images",)

    kind: Literal["feature"] = "feature"
    transform: Literal["noise", "rotation", "contrast"] = Field(
        "noise", description="How inputs differ between clients.", json_schema_extra=BASIC
    )
    max_noise: float = Field(
        1.0,
        ge=0,
        le=100,
        description="Noise of the last client, in standard deviations of the inputs.",
        json_schema_extra=only_with("transform", "noise"),
    )
    max_angle: float = Field(
        45.0,
        ge=0,
        le=180,
        description="Rotation of the first and the last client, one to each side.",
        json_schema_extra=unit("degrees") | only_with("transform", "rotation"),
    )
    max_contrast: float = Field(
        3.0,
        ge=1,
        le=100,
        description="Contrast of the last client; the first has its inverse.",
        json_schema_extra=only_with("transform", "contrast"),
    )


class EmbeddingPartitionSpec(PartitionSpec):
    """Like Dirichlet, but over groups of inputs that look alike to a trained network, not labels.

    A small network is trained on all the data, its last hidden layer is clustered, and the clusters
    take the place of labels. ``fill`` gives all clients the same size and uses all examples;
    ``solve`` is the paper's: sizes follow from the drawn mixes, and some examples stay unused.
    """

    title: ClassVar[str] = "Embedding clusters"
    paper: ClassVar[str | None] = "Borazjani et al. 2025, arXiv:2503.14553"
    synonyms: ClassVar[tuple[str, ...]] = ("embedding skew", "task perspective", "clusters")

    kind: Literal["embedding"] = "embedding"
    alpha: float = Field(
        0.5,
        gt=0,
        le=1e6,
        description="Concentration: 0.1 is extreme, 1 is mild, 100 is nearly equal.",
        json_schema_extra=BASIC | slider(0.01, 100, "log"),
    )
    clusters: int = Field(16, ge=2, le=1000, description="How many groups of inputs to find.")
    mode: Literal["fill", "solve"] = Field(
        "fill", description="Equal sizes using all examples, or sizes solved for the drawn mixes."
    )
    min_size: MinSize = 2


class NaturalPartitionSpec(PartitionSpec):
    """One client per real owner of data: a hospital, a speaker, a region.

    ``clients`` is the most to take: of more owners, the largest or a random choice; fewer owners
    make fewer clients. Owners below ``min_size`` are left out, or merged into one client.
    """

    title: ClassVar[str] = "Natural"
    paper: ClassVar[str | None] = "Caldas et al. 2018, LEAF, arXiv:1812.01097"
    synonyms: ClassVar[tuple[str, ...]] = (
        "by hospital", "by user", "by role", "real clients", "natural owners", "natural split",
        "one client per hospital", "one client per speaker", "one client per role",
        "one client per region", "by speaker", "ein Client pro Krankenhaus",
        "ein Client je Krankenhaus", "natürliche", "un client par hôpital",
        "naturels", "un cliente por hospital", "naturales",
        "每家医院一个客户端", "自然划分",
    )  # fmt: skip
    constraints: ClassVar[tuple[str, ...]] = ("needs a data set with natural clients",)
    example: ClassVar[dict[str, Any]] = {"dataset": {"kind": "heart"}}

    kind: Literal["natural"] = "natural"
    by: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Column that names the owner; empty takes the data set's own.",
        json_schema_extra=BASIC,
    )
    choose: Literal["largest", "random"] = Field(
        "largest", description="Which owners to take when there are more than clients."
    )
    small: Literal["drop", "merge"] = Field(
        "drop", description="Leave owners below min_size out, or make one client of them."
    )
    min_size: MinSize = 2

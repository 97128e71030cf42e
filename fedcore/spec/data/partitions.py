"""The ways to divide a data set among the clients."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from fedcore.spec.base import BASIC, Choice

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
    synonyms: ClassVar[tuple[str, ...]] = ("uniform", "homogeneous", "equal")

    kind: Literal["iid"] = "iid"


class DirichletPartitionSpec(PartitionSpec):
    """Label shares are drawn from a Dirichlet distribution: a small alpha is very uneven.

    ``per_class`` cuts every class among the clients, so sizes vary as well; ``per_client`` gives
    all clients the same size. Their alphas are not comparable.
    """

    title: ClassVar[str] = "Dirichlet"
    paper: ClassVar[str | None] = "Yurochkin et al. 2019; Hsu et al. 2019, arXiv:1909.06335"
    synonyms: ClassVar[tuple[str, ...]] = ("non-iid", "label skew", "heterogeneous", "uneven")
    constraints: ClassVar[tuple[str, ...]] = ("needs labels",)
    needs_labels: ClassVar[bool] = True

    kind: Literal["dirichlet"] = "dirichlet"
    alpha: float = Field(
        0.5,
        gt=0,
        le=1e6,
        description="Concentration: 0.1 is extreme, 1 is mild, 100 is nearly equal.",
        json_schema_extra=BASIC,
    )
    mode: Literal["per_class", "per_client"] = Field(
        "per_class", description="Cut each class (sizes vary) or fill each client (equal sizes)."
    )
    min_size: MinSize = 2

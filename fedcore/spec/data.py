"""Data sets and the ways to divide them among clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from fedcore.spec.base import BASIC, Choice

MAX_CLIENTS = 1_000_000
IMAGE_DIMENSIONS = 3


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of a data set before it is read.

    Attributes:
        task: ``classification`` so far.
        input_shape: Shape of one example, ``(features,)`` or ``(channels, height, width)``.
        num_classes: Number of labels.
        num_train: Training examples.
        num_test: Test examples.
    """

    task: str
    input_shape: tuple[int, ...]
    num_classes: int
    num_train: int
    num_test: int

    @property
    def is_image(self) -> bool:
        """Whether an example is an image."""
        return len(self.input_shape) == IMAGE_DIMENSIONS


class DatasetSpec(Choice):
    """Where the examples come from."""

    section: ClassVar[str] = "dataset"

    def info(self) -> DatasetInfo | None:
        """Return what is known without reading the data, or None if nothing is."""
        return None


class DigitsSpec(DatasetSpec):
    """1,797 grey 8x8 images of handwritten digits; ships with scikit-learn, needs no download."""

    title: ClassVar[str] = "Digits 8x8"
    paper: ClassVar[str | None] = "Alpaydin and Kaynak 1998, UCI Optical Recognition of Digits"
    synonyms: ClassVar[tuple[str, ...]] = ("optdigits", "sklearn digits", "small digits")

    kind: Literal["digits"] = "digits"

    def info(self) -> DatasetInfo:
        """Return the shape and the sizes; a fifth of the examples is held out for testing."""
        return DatasetInfo("classification", (1, 8, 8), 10, 1437, 360)


class MnistSpec(DatasetSpec):
    """70,000 grey 28x28 images of handwritten digits, from the hub or a local Parquet folder."""

    title: ClassVar[str] = "MNIST"
    paper: ClassVar[str | None] = "LeCun, Cortes and Burges 1998"
    synonyms: ClassVar[tuple[str, ...]] = ("handwritten digits",)

    kind: Literal["mnist"] = "mnist"

    def info(self) -> DatasetInfo:
        """Return the shape and the sizes of the published splits."""
        return DatasetInfo("classification", (1, 28, 28), 10, 60_000, 10_000)


class SyntheticSpec(DatasetSpec):
    """Synthetic(alpha, beta) of the FedProx paper: logistic models that differ between clients.

    The examples are born with their clients, so ``partition`` may be ``iid`` or ``dirichlet`` only
    to mix them up again.
    """

    title: ClassVar[str] = "Synthetic (alpha, beta)"
    paper: ClassVar[str | None] = "Li et al. 2020, arXiv:1812.06127, section 5.1"
    synonyms: ClassVar[tuple[str, ...]] = ("generated", "artificial", "logistic synthetic")

    kind: Literal["synthetic"] = "synthetic"
    alpha: float = Field(1.0, ge=0, le=100, description="How much the clients' true models differ.")
    beta: float = Field(1.0, ge=0, le=100, description="How much the clients' inputs differ.")
    num_samples: int = Field(6000, ge=20, le=10_000_000, description="Examples in all.")
    num_features: int = Field(60, ge=1, le=100_000, description="Length of one input.")
    num_classes: int = Field(10, ge=2, le=10_000, description="Number of labels.")

    def info(self) -> DatasetInfo:
        """Return the shape and the sizes; a fifth of the examples is held out for testing."""
        num_test = self.num_samples // 5
        return DatasetInfo(
            "classification",
            (self.num_features,),
            self.num_classes,
            self.num_samples - num_test,
            num_test,
        )


Clients = Annotated[
    int,
    Field(
        ge=1,
        le=MAX_CLIENTS,
        description="How many clients share the data.",
        json_schema_extra=BASIC,
    ),
]


class PartitionSpec(Choice):
    """How the training examples are divided among the clients."""

    section: ClassVar[str] = "partition"

    clients: Clients = 20


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
    min_size: int = Field(
        2, ge=1, le=1_000_000, description="Fewest examples that any client may get."
    )

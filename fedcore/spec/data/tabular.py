"""Published tables, and numbers that are generated."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from fedcore.spec.data.base import DatasetInfo, DatasetSpec
from fedcore.spec.tasks import InputKind, TaskName


class AdultSpec(DatasetSpec):
    """48,842 people of the 1994 US census, to tell who earns more than 50,000 dollars a year.

    Numbers are standardised on the training split, categories become one input each, and a missing
    value is a category of its own.
    """

    title: ClassVar[str] = "Adult (census income)"
    paper: ClassVar[str | None] = "Kohavi and Becker 1996, UCI Adult"
    synonyms: ClassVar[tuple[str, ...]] = (
        "census", "income", "tabular", "adult income", "Einkommen", "recensement", "censo",
        "人口普查", "收入数据",
    )  # fmt: skip

    kind: Literal["adult"] = "adult"

    def published(self) -> DatasetInfo:
        """Return the sizes of the published splits, and the inputs that their categories make."""
        return DatasetInfo(
            TaskName.CLASSIFICATION,
            InputKind.VECTOR,
            (108,),
            2,
            32_561,
            16_281,
            groups=(
                "native_country",
                "occupation",
                "workclass",
                "education",
                "marital_status",
                "relationship",
                "race",
                "sex",
            ),
        )


class HeartSpec(DatasetSpec):
    """920 patients of four hospitals: heart disease or not; a hospital is a natural client.

    A fifth of each hospital's patients, the same ones whatever the seed, is the test split.
    Missing values are common and differ between hospitals: a missing number becomes the mean, with
    an input that says so. A cholesterol or blood pressure of zero counts as missing.
    """

    title: ClassVar[str] = "Heart disease"
    paper: ClassVar[str | None] = "Janosi et al. 1988, UCI Heart Disease"
    synonyms: ClassVar[tuple[str, ...]] = (
        "heart disease", "hospitals", "medical", "heart data", "heart", "cardiac", "Herzdaten",
        "Herzkrankheit", "Herzkrankheiten", "données cardiaques", "maladie cardiaque",
        "datos del corazón", "enfermedades cardíacas", "心脏病", "心脏病数据",
    )  # fmt: skip

    kind: Literal["heart"] = "heart"

    def published(self) -> DatasetInfo:
        """Return the sizes of the seeded splits, and the inputs that the categories make."""
        return DatasetInfo(
            TaskName.CLASSIFICATION, InputKind.VECTOR, (36,), 2, 735, 185, groups=("hospital",)
        )


class SyntheticSpec(DatasetSpec):
    """Synthetic(alpha, beta) of the FedProx paper: logistic models that differ between clients.

    There are as many generating models as the run has clients, and ``natural`` gives each client
    the examples of one of them, which is the paper's setting. Other partitions mix them up again.
    """

    title: ClassVar[str] = "Synthetic (alpha, beta)"
    paper: ClassVar[str | None] = "Li et al. 2020, arXiv:1812.06127, section 5.1"
    synonyms: ClassVar[tuple[str, ...]] = (
        "generated", "artificial", "logistic synthetic", "synthetic", "synthetisch",
        "synthetische Daten", "données synthétiques", "datos sintéticos", "合成数据",
    )  # fmt: skip

    kind: Literal["synthetic"] = "synthetic"
    alpha: float = Field(1.0, ge=0, le=100, description="How much the clients' true models differ.")
    beta: float = Field(1.0, ge=0, le=100, description="How much the clients' inputs differ.")
    num_samples: int = Field(6000, ge=20, le=10_000_000, description="Examples in all.")
    num_features: int = Field(60, ge=1, le=100_000, description="Length of one input.")
    num_classes: int = Field(10, ge=2, le=10_000, description="Number of labels.")

    def published(self) -> DatasetInfo:
        """Return the shape and the sizes; a fifth of the examples is held out for testing."""
        num_test = self.num_samples // 5
        return DatasetInfo(
            TaskName.CLASSIFICATION,
            InputKind.VECTOR,
            (self.num_features,),
            self.num_classes,
            self.num_samples - num_test,
            num_test,
            groups=("owner",),
        )

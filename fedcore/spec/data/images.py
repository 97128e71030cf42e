"""Published image data sets, and digits, which ships with a package."""

from __future__ import annotations

from typing import ClassVar, Literal

from fedcore.spec.data.base import DatasetInfo, DatasetSpec
from fedcore.spec.tasks import InputKind, TaskName


def _images(shape: tuple[int, int, int], num_train: int, num_test: int) -> DatasetInfo:
    return DatasetInfo(TaskName.CLASSIFICATION, InputKind.IMAGE, shape, 10, num_train, num_test)


class DigitsSpec(DatasetSpec):
    """1,797 grey 8x8 images of handwritten digits; ships with scikit-learn, needs no download."""

    title: ClassVar[str] = "Digits 8x8"
    paper: ClassVar[str | None] = "Alpaydin and Kaynak 1998, UCI Optical Recognition of Digits"
    synonyms: ClassVar[tuple[str, ...]] = (
        "optdigits", "sklearn digits", "small digits", "digits", "Ziffern", "8x8 digits",
    )  # fmt: skip

    kind: Literal["digits"] = "digits"

    def published(self) -> DatasetInfo:
        """Return the shape and the sizes; a fifth of the examples is held out for testing."""
        return _images((1, 8, 8), 1437, 360)


class MnistSpec(DatasetSpec):
    """70,000 grey 28x28 images of handwritten digits, from the hub or a local Parquet folder."""

    title: ClassVar[str] = "MNIST"
    paper: ClassVar[str | None] = "LeCun, Cortes and Burges 1998"
    synonyms: ClassVar[tuple[str, ...]] = (
        "handwritten digits", "handgeschriebene Ziffern", "chiffres manuscrits",
        "dígitos manuscritos", "手写数字",
    )  # fmt: skip

    kind: Literal["mnist"] = "mnist"

    def published(self) -> DatasetInfo:
        """Return the shape and the sizes of the published splits."""
        return _images((1, 28, 28), 60_000, 10_000)


class FashionMnistSpec(DatasetSpec):
    """70,000 grey 28x28 images of clothes in ten kinds, from the hub or a local Parquet folder."""

    title: ClassVar[str] = "Fashion-MNIST"
    paper: ClassVar[str | None] = "Xiao, Rasul and Vollgraf 2017, arXiv:1708.07747"
    synonyms: ClassVar[tuple[str, ...]] = (
        "fashion mnist", "fmnist", "clothes", "zalando", "fashion", "Kleidung", "vêtements",
        "ropa",
    )  # fmt: skip

    kind: Literal["fashion_mnist"] = "fashion_mnist"

    def published(self) -> DatasetInfo:
        """Return the shape and the sizes of the published splits."""
        return _images((1, 28, 28), 60_000, 10_000)


class Cifar10Spec(DatasetSpec):
    """60,000 colour 32x32 photographs in ten kinds, from the hub or a local Parquet folder."""

    title: ClassVar[str] = "CIFAR-10"
    paper: ClassVar[str | None] = "Krizhevsky 2009, Learning Multiple Layers of Features"
    synonyms: ClassVar[tuple[str, ...]] = ("cifar", "cifar-10", "photographs", "colour images")

    kind: Literal["cifar10"] = "cifar10"

    def published(self) -> DatasetInfo:
        """Return the shape and the sizes of the published splits."""
        return _images((3, 32, 32), 50_000, 10_000)

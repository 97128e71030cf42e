"""Models of images."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import ClassVar, Literal

from pydantic import Field

from fedcore.spec.data import DatasetInfo
from fedcore.spec.models.base import ModelSpec, Width, dense
from fedcore.spec.problems import Problem
from fedcore.spec.tasks import InputKind


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(str(length) for length in shape[1:])


class CnnSpec(ModelSpec):
    """LEAF's convolutional network: 5x5 convolutions, each with 2x2 pooling, then a dense layer."""

    title: ClassVar[str] = "Convolutional network"
    paper: ClassVar[str | None] = "Caldas et al. 2018, LEAF, arXiv:1812.01097"
    synonyms: ClassVar[tuple[str, ...]] = ("convnet", "convolutional neural network")
    constraints: ClassVar[tuple[str, ...]] = ("needs images",)
    input_kinds: ClassVar[tuple[InputKind, ...]] = (InputKind.IMAGE,)
    kernel_size: ClassVar[int] = 5
    has_features: ClassVar[bool] = True

    kind: Literal["cnn"] = "cnn"
    channels: tuple[Width, ...] = Field(
        (32, 64), min_length=1, max_length=8, description="Channels of each convolution."
    )
    hidden: Width = Field(2048, description="Width of the dense layer.")

    def num_parameters(self, data: DatasetInfo) -> int | None:
        """Return weights and biases of the convolutions and both dense layers."""
        if not data.is_image:
            return None
        first, height, width = data.input_shape
        area = self.kernel_size**2
        steps = pairwise((first, *self.channels))
        convolutions = sum(out * (inp * area + 1) for inp, out in steps)
        shrink = 2 ** len(self.channels)
        flat = self.channels[-1] * (height // shrink) * (width // shrink)
        return convolutions + dense(flat, self.hidden, data.num_classes)

    def misfits(self, shape: tuple[int, ...]) -> Iterator[Problem]:
        """Return a problem if pooling leaves nothing of the image."""
        if min(shape[1:]) < 2 ** len(self.channels):
            yield Problem(
                "model.channels",
                "too_many",
                f"{len(self.channels)} poolings leave nothing of a {_size(shape)} image.",
                "Use fewer convolutions.",
            )

"""Models of images."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import ClassVar, Literal

from pydantic import Field

from fedcore.spec.base import BASIC
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
    synonyms: ClassVar[tuple[str, ...]] = (
        "convnet", "convolutional neural network", "conv net", "convolutional", "Faltungsnetz",
        "faltendes Netz", "Faltungsnetzwerk", "réseau convolutif", "réseau de convolution",
        "réseau à convolution", "red convolucional", "卷积网络", "卷积神经网络",
    )  # fmt: skip
    constraints: ClassVar[tuple[str, ...]] = ("needs images",)
    input_kinds: ClassVar[tuple[InputKind, ...]] = (InputKind.IMAGE,)
    kernel_size: ClassVar[int] = 5
    is_maskable: ClassVar[bool] = True

    kind: Literal["cnn"] = "cnn"
    channels: tuple[Width, ...] = Field(
        (32, 64), min_length=1, max_length=8, description="Channels of each convolution."
    )
    hidden: Width = Field(2048, description="Width of the dense layer.")

    @property
    def feature_width(self) -> int:
        """Width of what the last layer sees."""
        return self.hidden

    def num_parameters(self, data: DatasetInfo) -> int | None:
        """Return weights and biases of the convolutions and both dense layers."""
        if not data.is_image:
            return None
        return sum(self._edges(data)) + sum(self.channels) + self.hidden + data.num_classes

    def layer_edges(self, data: DatasetInfo) -> tuple[int, ...] | None:
        """Return the weights of the convolutions and both dense layers."""
        return self._edges(data) if data.is_image else None

    def _edges(self, data: DatasetInfo) -> tuple[int, ...]:
        first, height, width = data.input_shape
        area = self.kernel_size**2
        convolutions = (out * inp * area for inp, out in pairwise((first, *self.channels)))
        shrink = 2 ** len(self.channels)
        flat = self.channels[-1] * (height // shrink) * (width // shrink)
        return (*convolutions, flat * self.hidden, self.hidden * data.num_classes)

    def misfits(self, shape: tuple[int, ...]) -> Iterator[Problem]:
        """Return a problem if pooling leaves nothing of the image."""
        if min(shape[1:]) < 2 ** len(self.channels):
            yield Problem(
                "model.channels",
                "too_many",
                f"{len(self.channels)} poolings leave nothing of a {_size(shape)} image.",
                "Use fewer convolutions.",
            )


class ResNetSpec(ModelSpec):
    """The residual network for small images: three stages of 3x3 convolutions, 6n + 2 layers deep.

    Group norm by default, because batch statistics of unlike clients do not average well. With
    batch norm the running statistics are averaged by number of examples.
    """

    title: ClassVar[str] = "ResNet"
    paper: ClassVar[str | None] = (
        "He et al. 2016, arXiv:1512.03385, section 4.2; group norm: Hsieh et al., arXiv:1910.00189"
    )
    synonyms: ClassVar[tuple[str, ...]] = (
        "residual network", "resnet-20", "resnet20", "residual net", "Residualnetz",
        "réseau résiduel", "red residual", "残差网络",
    )  # fmt: skip
    constraints: ClassVar[tuple[str, ...]] = ("needs images",)
    input_kinds: ClassVar[tuple[InputKind, ...]] = (InputKind.IMAGE,)
    num_stages: ClassVar[int] = 3
    is_maskable: ClassVar[bool] = True

    kind: Literal["resnet"] = "resnet"
    depth: Literal[8, 14, 20, 26, 32, 44, 56, 110] = Field(
        20, description="Number of layers with weights.", json_schema_extra=BASIC
    )
    width: int = Field(
        16, ge=1, le=1024, description="Channels of the first stage; each later one has twice more."
    )
    norm: Literal["group", "batch"] = Field(
        "group", description="How activations are normalised.", json_schema_extra=BASIC
    )
    groups: int = Field(
        8, ge=1, le=1024, description="Groups of channels that group norm treats alike."
    )

    @property
    def blocks_per_stage(self) -> int:
        """Residual blocks in each stage, two convolutions each."""
        return (self.depth - 2) // (2 * self.num_stages)

    @property
    def stage_widths(self) -> tuple[int, ...]:
        """Channels of each stage."""
        return tuple(self.width * 2**stage for stage in range(self.num_stages))

    @property
    def has_statistics(self) -> bool:
        """Whether it normalises by running statistics."""
        return self.norm == "batch"

    @property
    def feature_width(self) -> int:
        """Width of what the last layer sees."""
        return self.stage_widths[-1]

    def num_parameters(self, data: DatasetInfo) -> int | None:
        """Return all weights: no convolution has a bias, each is followed by a norm with two."""
        if not data.is_image:
            return None
        total = 9 * data.input_shape[0] * self.width + 2 * self.width
        inputs = self.width
        for outputs in self.stage_widths:
            for _ in range(self.blocks_per_stage):
                total += 9 * inputs * outputs + 9 * outputs * outputs + 4 * outputs
                if inputs != outputs:
                    total += inputs * outputs + 2 * outputs
                inputs = outputs
        return total + dense(inputs, data.num_classes)

    def misfits(self, shape: tuple[int, ...]) -> Iterator[Problem]:
        """Return a problem if the image is too small, or channels do not divide into groups."""
        if self.norm == "group" and self.width % self.groups:
            yield Problem(
                "model.groups",
                "not_divisible",
                f"{self.width} channels do not divide into {self.groups} groups.",
                "Make model.width a multiple of model.groups.",
            )
        if min(shape[1:]) < 2 ** (self.num_stages - 1):
            yield Problem(
                "model.kind",
                "too_small",
                f"The stages of a ResNet leave nothing of a {_size(shape)} image.",
                "Use model mlp or linear.",
            )


class VitSpec(ModelSpec):
    """A small vision transformer; the mean of its tokens goes into the output layer."""

    title: ClassVar[str] = "Vision transformer"
    paper: ClassVar[str | None] = "Dosovitskiy et al. 2021, arXiv:2010.11929"
    synonyms: ClassVar[tuple[str, ...]] = (
        "vit", "transformer for images", "Bildtransformer", "transformeur visuel", "视觉变换器",
    )  # fmt: skip
    constraints: ClassVar[tuple[str, ...]] = ("needs images that patches tile",)
    input_kinds: ClassVar[tuple[InputKind, ...]] = (InputKind.IMAGE,)
    mlp_ratio: ClassVar[int] = 2

    kind: Literal["vit"] = "vit"
    patch_size: int = Field(4, ge=1, le=256, description="Height and width of a patch, in pixels.")
    dim: int = Field(64, ge=1, le=4096, description="Width of a token.", json_schema_extra=BASIC)
    depth: int = Field(
        4, ge=1, le=64, description="Number of transformer blocks.", json_schema_extra=BASIC
    )
    heads: int = Field(4, ge=1, le=64, description="Attention heads; they share the width.")

    @property
    def feature_width(self) -> int:
        """Width of what the last layer sees."""
        return self.dim

    def num_parameters(self, data: DatasetInfo) -> int | None:
        """Return all weights of patches, positions, blocks and the output layer."""
        if not data.is_image:
            return None
        channels, height, width = data.input_shape
        tokens = (height // self.patch_size) * (width // self.patch_size)
        patches = dense(channels * self.patch_size**2, self.dim)
        blocks = self.depth * transformer_block(self.dim, self.mlp_ratio)
        norm = 2 * self.dim
        return patches + tokens * self.dim + blocks + norm + dense(self.dim, data.num_classes)

    def misfits(self, shape: tuple[int, ...]) -> Iterator[Problem]:
        """Return a problem if patches do not tile the image or heads do not share the width."""
        if any(length % self.patch_size for length in shape[1:]):
            yield Problem(
                "model.patch_size",
                "not_divisible",
                f"Patches of {self.patch_size}x{self.patch_size} do not tile a "
                f"{_size(shape)} image.",
                "Choose a patch_size that divides height and width.",
            )
        yield from heads_misfit(self.dim, self.heads)


def transformer_block(dim: int, mlp_ratio: int) -> int:
    """Return the weights of a pre-norm block: two norms, attention, and two dense layers."""
    attention = dense(dim, 3 * dim) + dense(dim, dim)
    return 4 * dim + attention + dense(dim, mlp_ratio * dim, dim)


def heads_misfit(dim: int, heads: int) -> Iterator[Problem]:
    """Return a problem if attention heads cannot share the width evenly."""
    if dim % heads:
        yield Problem(
            "model.heads",
            "not_divisible",
            f"{heads} heads cannot share a width of {dim}.",
            "Make model.dim a multiple of model.heads.",
        )

"""Feature skew: every client sees its inputs through a fixed change of its own.

Source: noise is that of Li et al. (NIID-Bench), ICDE 2022, arXiv:2102.02079, section 4.2: client k
of K adds Gaussian noise whose strength grows with k. Rotation and contrast are the usual stand-ins
for cameras that differ. Labels are divided at random.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from fedcore.data.dataset import Dataset, Examples
from fedcore.errors import PartitionError
from fedcore.partition.base import PARTITIONERS, Material, Partition, Parts, Shares
from fedcore.partition.iid import divide_evenly
from fedcore.rng import Purpose, rng
from fedcore.spec.data import FeaturePartitionSpec, PartitionSpec
from fedcore.spec.tasks import InputKind

_ROWS_AT_A_TIME = 4096


@PARTITIONERS.implements(FeaturePartitionSpec)
def divide_features(spec: FeaturePartitionSpec, material: Material) -> Parts:
    """Return near-equal random parts; ``seen_by_clients`` then changes their inputs.

    Raises:
        PartitionError: If there are too few examples, or inputs cannot be changed so.
    """
    kind = material.dataset.input_kind
    if kind not in (InputKind.IMAGE, InputKind.VECTOR):
        raise PartitionError(
            f"a feature partition changes images or numbers, not {kind.value}",
            field="partition.kind",
            fix="Use another partition.",
        )
    if spec.transform == "rotation" and kind is not InputKind.IMAGE:
        raise PartitionError(
            "only images can be rotated",
            field="partition.transform",
            fix="Use transform noise or contrast.",
        )
    return divide_evenly(spec, material)


def seen_by_clients(
    spec: PartitionSpec, dataset: Dataset, partition: Partition, seed: int
) -> Dataset:
    """Return the data set with inputs as the clients that hold them see them.

    Training and test examples of a client are changed by the same function. Only a feature
    partition changes anything; for all others this is the data set itself.
    """
    if not isinstance(spec, FeaturePartitionSpec):
        return dataset
    return replace(
        dataset,
        train=_changed(spec, dataset.train, partition.train, seed, split=0),
        test=_changed(spec, dataset.test, partition.test, seed, split=1),
    )


def _changed(
    spec: FeaturePartitionSpec, examples: Examples, shares: Shares, seed: int, *, split: int
) -> Examples:
    x = examples.x.clone()
    for client_id in range(len(shares)):
        generator = rng(seed, Purpose.FEATURES, split, client_id)
        place = client_id / max(len(shares) - 1, 1)
        # Sorted, so that the noise on an example does not depend on the order inside a client.
        for rows in shares.of_client(client_id).sort().values.split(_ROWS_AT_A_TIME):
            x[rows] = _change(spec, x[rows], place, generator)
    return Examples(x, examples.y)


def _change(
    spec: FeaturePartitionSpec, x: Tensor, place: float, generator: torch.Generator
) -> Tensor:
    """Return inputs as seen by the client at ``place`` between the first (0) and the last (1)."""
    if spec.transform == "noise":
        noise = torch.randn(x.shape, generator=generator, dtype=x.dtype)
        return x + spec.max_noise * place * noise
    if spec.transform == "rotation":
        return rotate(x, math.radians(spec.max_angle * (2 * place - 1)))
    # Inputs have mean 0, so this is a scaling about the mean.
    return x * float(spec.max_contrast ** (2 * place - 1))


def rotate(images: Tensor, angle: float) -> Tensor:
    """Return images turned counter-clockwise about their centre by ``angle`` in radians.

    What comes in from outside continues the border.
    """
    height, width = images.shape[-2:]
    cos, sin = math.cos(angle), math.sin(angle)
    # Coordinates go from -1 to 1 along both sides, so sides of different length need scaling.
    turn = images.new_tensor([[cos, -sin * height / width, 0.0], [sin * width / height, cos, 0.0]])
    grid = functional.affine_grid(
        turn.expand(len(images), 2, 3), list(images.shape), align_corners=False
    )
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)

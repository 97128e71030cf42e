"""Digits: 1,797 grey 8x8 images that ship with scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version

import torch

from fedcore.data.dataset import Dataset, Examples
from fedcore.data.inputs import scale_images
from fedcore.data.source import DATASETS, Request
from fedcore.rng import Purpose, numpy_rng
from fedcore.spec.data import DigitsSpec
from fedcore.spec.tasks import InputKind

NUM_TEST = 360
_LARGEST_VALUE = 16.0


@DATASETS.implements(DigitsSpec)
@dataclass(frozen=True)
class DigitsSource:
    """A random fifth is the test split, the same one whatever the seed of the run."""

    spec: DigitsSpec
    request: Request

    def key(self) -> str:
        """Return the version of the package that holds the images."""
        return f"scikit-learn {version('scikit-learn')}"

    def build(self) -> Dataset:
        """Return the images, split and scaled."""
        # Importing scikit-learn takes over a second and is needed only once per machine.
        from sklearn.datasets import load_digits  # noqa: PLC0415

        images, labels = load_digits(return_X_y=True)
        order = torch.from_numpy(numpy_rng(0, Purpose.DATASET).permutation(len(labels)))
        x = torch.from_numpy(images).to(torch.float32).view(-1, 1, 8, 8)[order]
        y = torch.from_numpy(labels).to(torch.int64)[order]
        inputs = scale_images(x[NUM_TEST:], x[:NUM_TEST], _LARGEST_VALUE)
        return Dataset(
            train=Examples(inputs.train, y[NUM_TEST:]),
            test=Examples(inputs.test, y[:NUM_TEST]),
            num_classes=10,
            input_kind=InputKind.IMAGE,
            class_names=tuple("0123456789"),
            preparation=inputs.preparation,
        )

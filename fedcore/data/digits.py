"""Digits: 1,797 grey 8x8 images that ship with scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version

import torch

from fedcore.data.cache import Prepared
from fedcore.data.dataset import Examples
from fedcore.data.source import DATASETS, Request, prepare_images
from fedcore.rng import Purpose, numpy_rng
from fedcore.spec.data import DigitsSpec

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

    def build(self) -> Prepared:
        """Return the images, split and scaled."""
        # Importing scikit-learn takes over a second and is needed only once per machine.
        from sklearn.datasets import load_digits  # noqa: PLC0415

        images, labels = load_digits(return_X_y=True)
        order = torch.from_numpy(numpy_rng(0, Purpose.DATASET).permutation(len(labels)))
        x = torch.from_numpy(images).to(torch.float32).view(-1, 1, 8, 8)[order]
        y = torch.from_numpy(labels).to(torch.int64)[order]
        return prepare_images(
            Examples(x[NUM_TEST:], y[NUM_TEST:]),
            Examples(x[:NUM_TEST], y[:NUM_TEST]),
            num_classes=10,
            divisor=_LARGEST_VALUE,
        )

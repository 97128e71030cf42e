"""Synthetic(alpha, beta): logistic models that differ between the clients that own them.

Source: Li et al., "Federated Optimization in Heterogeneous Networks", MLSys 2020,
arXiv:1812.06127, section 5.1. Paper to code: u_k is ``model_shift``, B_k is ``input_shift``,
W_k and b_k are ``weight`` and ``bias``, Sigma is ``deviation`` squared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from fedcore.data.dataset import Dataset, Examples
from fedcore.data.groups import Groups
from fedcore.data.source import DATASETS, Request, settings_key
from fedcore.rng import Purpose, numpy_rng
from fedcore.spec.data import SyntheticSpec

#: Variance of feature j is j to this power, so that inputs have a few strong directions.
COVARIANCE_DECAY = -1.2


@DATASETS.implements(SyntheticSpec)
@dataclass(frozen=True)
class SyntheticSource:
    """As many generating models as the run has clients; sizes follow a log-normal law.

    The paper draws ``u_k ~ N(0, alpha)`` and ``B_k ~ N(0, beta)``; like its code, we take alpha
    and beta as standard deviations.
    """

    spec: SyntheticSpec
    request: Request

    def key(self) -> str:
        """Return everything that the generator depends on."""
        return f"{settings_key(self.spec)}|{self.request.seed}|{self.request.clients}"

    def build(self) -> Dataset:
        """Return the examples, shuffled, with a fifth held out; each knows its owner."""
        spec = self.spec
        random = numpy_rng(self.request.seed, Purpose.DATASET)
        sizes = _sizes(random, self.request.clients, spec.num_samples)
        owners = [_one_owner(random, spec, size) for size in sizes]
        order = random.permutation(spec.num_samples)
        x = torch.from_numpy(np.concatenate([inputs for inputs, _ in owners])[order])
        y = torch.from_numpy(np.concatenate([labels for _, labels in owners])[order])
        owner = torch.from_numpy(np.repeat(np.arange(len(sizes)), sizes)[order])
        num_test = spec.num_samples // 5
        digits = len(str(len(sizes) - 1))
        names = tuple(f"{number:0{digits}d}" for number in range(len(sizes)))
        return Dataset(
            train=Examples(x[num_test:], y[num_test:]),
            test=Examples(x[:num_test], y[:num_test]),
            num_classes=spec.num_classes,
            groups={"owner": Groups(names, owner[num_test:], owner[:num_test])},
        )


def _sizes(random: np.random.Generator, owners: int, total: int) -> list[int]:
    """Return how many examples each owner has: log-normal(4, 2) shares that add up to ``total``."""
    shares = random.lognormal(4.0, 2.0, owners)
    ends = np.floor(np.cumsum(shares) / shares.sum() * total + 1e-9).astype(np.int64)
    ends[-1] = total
    return [int(size) for size in np.diff(ends, prepend=0)]


def _one_owner(
    random: np.random.Generator, spec: SyntheticSpec, size: int
) -> tuple[
    np.ndarray[tuple[int, int], np.dtype[np.float32]], np.ndarray[tuple[int], np.dtype[np.int64]]
]:
    model_shift = random.normal(0.0, spec.alpha)
    input_shift = random.normal(0.0, spec.beta)
    weight = random.normal(model_shift, 1.0, (spec.num_features, spec.num_classes))
    bias = random.normal(model_shift, 1.0, spec.num_classes)
    centre = random.normal(input_shift, 1.0, spec.num_features)
    deviation = np.arange(1, spec.num_features + 1, dtype=np.float64) ** (COVARIANCE_DECAY / 2)
    inputs = centre + deviation * random.standard_normal((size, spec.num_features))
    labels = np.argmax(inputs @ weight + bias, axis=1)
    return inputs.astype(np.float32), labels.astype(np.int64)

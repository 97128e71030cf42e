"""How unlike the updates of clients are, and which clients belong together.

Source: Zuziak, Pellungrini and Rinzivillo, "One-Shot Clustering for Federated Learning", IEEE
BigData 2024, arXiv:2503.04231, section III. Paper to code: Gamma is ``distances``, its
temperature ``temperature`` with p = 2.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fedcore.spec.algorithms import OcflSpec

Labels = npt.NDArray[np.int64]
Distances = npt.NDArray[np.float64]
_NOISE = -1


def distances(updates: Tensor) -> Tensor:
    """Return the cosine distances of the rows of (n, d), shape (n, n), from 0 to 2, float64.

    An update of zeros has no direction and is at distance 1 of all others.
    """
    exact = updates.double()
    lengths = torch.linalg.vector_norm(exact, dim=1)
    unit = exact / lengths.clamp(min=torch.finfo(torch.float64).tiny).unsqueeze(1)
    apart: Tensor = (1.0 - unit @ unit.T).clamp(0.0, 2.0)
    return apart.fill_diagonal_(0.0)


def temperature(apart: Tensor) -> float:
    """Return how unlike n clients are, from 0 (alike) to 1; 0 for fewer than two."""
    n = len(apart)
    if n < 2:  # noqa: PLR2004
        return 0.0
    return float(torch.linalg.matrix_norm(apart)) / math.sqrt(4 * n * (n - 1))


def clusters(spec: OcflSpec, apart: Tensor, seed: int) -> list[int]:
    """Return the cluster of each client, numbered in the order in which they appear.

    Args:
        spec: How to cluster.
        apart: Distances, (n, n).
        seed: What random starts are drawn from.
    """
    matrix = apart.cpu().numpy()
    labels = _ROUTINES[spec.clustering](spec, matrix, seed)
    if spec.outliers == "nearest":
        labels = _with_outliers(labels, matrix)
    numbers: dict[int, int] = {}
    return [numbers.setdefault(int(label), len(numbers)) for label in labels]


def _with_outliers(labels: Labels, apart: Distances) -> Labels:
    """Return the labels with every outlier in the cluster that is nearest on average."""
    found = [label for label in np.unique(labels) if label != _NOISE]
    if not found:
        return labels  # all are outliers, and so one cluster
    means = np.stack([apart[:, labels == label].mean(1) for label in found], axis=1)
    nearest = np.array(found)[means.argmin(1)]
    return np.where(labels == _NOISE, nearest, labels)


def _hdbscan(spec: OcflSpec, apart: Distances, seed: int) -> Labels:  # noqa: ARG001
    from sklearn.cluster import HDBSCAN  # noqa: PLC0415  (over a second, once in a run)

    if len(apart) < spec.min_cluster_size:
        return np.zeros(len(apart), np.int64)
    routine = HDBSCAN(min_cluster_size=spec.min_cluster_size, metric="precomputed", copy=True)
    labels: Labels = routine.fit_predict(apart)
    return labels


def _mean_shift(spec: OcflSpec, apart: Distances, seed: int) -> Labels:  # noqa: ARG001
    from sklearn.cluster import MeanShift, estimate_bandwidth  # noqa: PLC0415

    bandwidth = estimate_bandwidth(apart)
    if not bandwidth > 0:
        return np.zeros(len(apart), np.int64)
    labels: Labels = MeanShift(bandwidth=bandwidth).fit_predict(apart)
    return labels


def _affinity(spec: OcflSpec, apart: Distances, seed: int) -> Labels:  # noqa: ARG001
    from sklearn.cluster import AffinityPropagation  # noqa: PLC0415
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415

    routine = AffinityPropagation(affinity="precomputed", random_state=seed)
    with warnings.catch_warnings():  # without convergence all are outliers
        warnings.simplefilter("ignore", ConvergenceWarning)
        labels: Labels = routine.fit_predict(-apart)
    return labels


def _kmeans(spec: OcflSpec, apart: Distances, seed: int) -> Labels:
    from sklearn.cluster import KMeans  # noqa: PLC0415

    count = min(spec.num_clusters, len(apart))
    labels: Labels = KMeans(count, n_init=10, random_state=seed).fit_predict(apart)
    return labels


_ROUTINES: Mapping[str, Callable[[OcflSpec, Distances, int], Labels]] = MappingProxyType(
    {
        "hdbscan": _hdbscan,
        "mean_shift": _mean_shift,
        "affinity": _affinity,
        "kmeans": _kmeans,
    }
)

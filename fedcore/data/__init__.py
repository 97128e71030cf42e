"""Data sets as tensors, and the ways to divide them among clients."""

from fedcore.data import digits, hub, synthetic  # noqa: F401  (importing registers the sources)
from fedcore.data.dataset import Dataset, Examples
from fedcore.data.source import DATASETS, Request, load_dataset

__all__ = ["DATASETS", "Dataset", "Examples", "Request", "load_dataset"]

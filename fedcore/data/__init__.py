"""Data sets as tensors, and the ways to divide them among clients."""

# Importing a module registers its sources.
from fedcore.data import (  # noqa: F401
    digits,
    heart,
    huggingface,
    published,
    shakespeare,
    sites,
    synthetic,
    upload,
)
from fedcore.data.dataset import Dataset, Examples
from fedcore.data.source import DATASETS, Request, is_prepared, load_dataset

__all__ = ["DATASETS", "Dataset", "Examples", "Request", "is_prepared", "load_dataset"]

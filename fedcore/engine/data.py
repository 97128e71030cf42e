"""The data of a run, divided among its clients: all that is needed before a model is made."""

from __future__ import annotations

from pathlib import Path

from fedcore.data import Dataset, Request, load_dataset
from fedcore.data.pretrained import PretrainedText, Published
from fedcore.engine.device import one_thread
from fedcore.environment import Folders
from fedcore.partition import Partition, PartitionReport, divide, report, seen_by_clients
from fedcore.spec import RunSpec
from fedcore.spec.models import HuggingFaceModelSpec, ModelSpec


def divided_data(spec: RunSpec, folders: Folders) -> tuple[Dataset, Partition]:
    """Return the examples of a run as its clients see them, and who holds which.

    Raises:
        DatasetError: If the data cannot be read.
        PartitionError: If they cannot be divided as the spec asks.
    """
    dataset = load_dataset(spec.dataset, request_of(spec, folders))
    partition = divide(spec.partition, dataset, spec.seed, folders.cache)
    return seen_by_clients(spec.partition, dataset, partition, spec.seed), partition


def request_of(spec: RunSpec, folders: Folders) -> Request:
    """Return what the tensors of a run's data depend on besides the data set's own settings."""
    return Request(spec.seed, spec.partition.clients, folders, _tokenizer(spec.model))


def _tokenizer(model: ModelSpec) -> PretrainedText | None:
    """Return the tokenizer that a model brings, or None for a built-in one."""
    if not isinstance(model, HuggingFaceModelSpec):
        return None
    return PretrainedText(Published.of(model.path, model.revision))


def partition_report(
    spec: RunSpec, *, data_dir: Path | None = None, cache_dir: Path | None = None
) -> PartitionReport:
    """Return how a spec divides its data, without a model.

    Args:
        spec: Names data, partition and seed.
        data_dir: Folder with local copies of data sets; by default ROUNDHOUSE_DATA_DIR.
        cache_dir: Where prepared data sets are kept; by default ROUNDHOUSE_CACHE_DIR, else the
            user's cache folder.

    Raises:
        DatasetError: If the data cannot be read.
        PartitionError: If they cannot be divided as the spec asks.
    """
    folders = Folders.from_environment().with_overrides(data_dir, cache_dir)
    with one_thread():
        return report(*divided_data(spec, folders))

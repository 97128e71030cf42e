"""Data sets and the ways to divide them among clients."""

from fedcore.spec.data.base import DatasetInfo, DatasetSpec

# Screens list the kinds in the order of their definition: well-known ones first, own data last.
# isort: off
from fedcore.spec.data.images import Cifar10Spec, DigitsSpec, FashionMnistSpec, MnistSpec
from fedcore.spec.data.text import Banking77Spec, ShakespeareSpec
from fedcore.spec.data.tabular import AdultSpec, HeartSpec, SyntheticSpec
from fedcore.spec.data.custom import CustomDatasetSpec, HuggingFaceDatasetSpec, UploadSpec

# isort: on
from fedcore.spec.data.partitions import (
    DirichletPartitionSpec,
    EmbeddingPartitionSpec,
    FeaturePartitionSpec,
    IidPartitionSpec,
    NaturalPartitionSpec,
    PartitionSpec,
    QuantityPartitionSpec,
    ShardsPartitionSpec,
)
from fedcore.spec.data.sites import InputColumn, SitesDatasetSpec, SitesPartitionSpec, TargetColumn

__all__ = [
    "AdultSpec",
    "Banking77Spec",
    "Cifar10Spec",
    "CustomDatasetSpec",
    "DatasetInfo",
    "DatasetSpec",
    "DigitsSpec",
    "DirichletPartitionSpec",
    "EmbeddingPartitionSpec",
    "FashionMnistSpec",
    "FeaturePartitionSpec",
    "HeartSpec",
    "HuggingFaceDatasetSpec",
    "IidPartitionSpec",
    "InputColumn",
    "MnistSpec",
    "NaturalPartitionSpec",
    "PartitionSpec",
    "QuantityPartitionSpec",
    "ShakespeareSpec",
    "ShardsPartitionSpec",
    "SitesDatasetSpec",
    "SitesPartitionSpec",
    "SyntheticSpec",
    "TargetColumn",
    "UploadSpec",
]

"""Registries: one implementation per spec class, found by the spec."""

import pytest

from fedcore.algorithms import METHODS
from fedcore.algorithms.fedavg import FedAvg
from fedcore.registry import Registry
from fedcore.spec.algorithms import AlgorithmSpec, FedAvgSpec
from fedcore.spec.models import LinearSpec, ModelSpec


def test_an_implementation_is_found_by_its_spec() -> None:
    assert METHODS.of(FedAvgSpec()) is FedAvg


def test_a_second_implementation_is_refused() -> None:
    registry: Registry[type] = Registry(AlgorithmSpec)
    registry.implements(FedAvgSpec)(int)
    with pytest.raises(TypeError, match="two implementations"):
        registry.implements(FedAvgSpec)(str)


def test_a_spec_of_another_family_is_refused() -> None:
    registry: Registry[type] = Registry(AlgorithmSpec)
    with pytest.raises(TypeError, match="no AlgorithmSpec"):
        registry.implements(LinearSpec)(int)


def test_a_spec_that_nobody_implements_is_named() -> None:
    registry: Registry[type] = Registry(ModelSpec)
    with pytest.raises(LookupError, match="LinearSpec"):
        registry.of(LinearSpec())


def test_the_view_of_all_implementations_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        METHODS.implementations[FedAvgSpec] = FedAvg  # type: ignore[index]

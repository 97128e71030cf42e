"""Celery sends exceptions through pickle; one that needs keywords comes back as something else."""

import importlib
import pickle  # noqa: TID251  the round trip is what is tested
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest

from fedcore.errors import FedcoreError
from tests.architecture.sources import PACKAGES

# Modules that act when imported, or belong to a process of their own.
NOT_IMPORTED = ("webapp.settings.production", "webapp.asgi")


def own_modules() -> Iterator[str]:
    for package in PACKAGES:
        root = importlib.import_module(package)
        for module in pkgutil.walk_packages(root.__path__, prefix=f"{package}."):
            if ".migrations" not in module.name and module.name not in NOT_IMPORTED:
                yield module.name


def own_errors() -> list[type[Exception]]:
    for name in own_modules():
        importlib.import_module(name)
    found: set[type[Exception]] = set()
    waiting: list[type[Any]] = [Exception]
    while waiting:
        for child in waiting.pop().__subclasses__():
            waiting.append(child)
            if child.__module__.partition(".")[0] in PACKAGES:
                found.add(child)
    # Django gives every model its own pair; they carry a message and nothing else.
    ours = [e for e in found if e.__name__ not in {"DoesNotExist", "MultipleObjectsReturned"}]
    return sorted(ours, key=lambda error: f"{error.__module__}.{error.__qualname__}")


@pytest.fixture(scope="module")
def errors() -> list[type[Exception]]:
    return own_errors()


def test_every_error_class_survives_pickling(errors: list[type[Exception]]) -> None:
    assert errors, "no error class found"
    for error_class in errors:
        error = error_class("what happened")
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301  made on the line above
        assert type(copy) is error_class
        assert str(copy) == str(error)
        assert vars(copy) == vars(error)


def test_the_context_survives_too() -> None:
    def family(cls: type[FedcoreError]) -> Iterator[type[FedcoreError]]:
        yield cls
        for child in cls.__subclasses__():
            yield from family(child)

    for error_class in family(FedcoreError):
        error = error_class("what happened", client_id=3, field="algorithm.mu", fix="lower it")
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301
        assert type(copy) is error_class
        assert copy.context == {"client_id": 3, "field": "algorithm.mu", "fix": "lower it"}

"""Whatever a spec can ask for, the engine can do; and nothing is implemented that no spec names."""

import importlib
import pkgutil

import fedcore
from fedcore.registry import Registry
from fedcore.spec import Choice
from fedcore.spec.catalogue import families


def registries() -> list[Registry[object]]:
    found: dict[int, Registry[object]] = {}
    for module in pkgutil.walk_packages(fedcore.__path__, prefix="fedcore."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, Registry):
                found[id(value)] = value
    return list(found.values())


def implemented() -> set[type[Choice]]:
    return {spec_class for registry in registries() for spec_class in registry.implementations}


def test_every_kind_that_can_be_chosen_is_implemented() -> None:
    # A family of one kind leaves no choice: the engine does that kind and nothing else.
    to_choose = [family for family in families() if len(family.kinds()) > 1]
    kinds = {cls for family in to_choose for cls in family.kinds().values()}
    assert {cls.__name__ for cls in kinds - implemented()} == set()


def test_every_implementation_is_in_the_catalogue() -> None:
    kinds = {cls for family in families() for cls in family.kinds().values()}
    assert {cls.__name__ for cls in implemented() - kinds} == set()


def test_every_kind_is_explained() -> None:
    for family in families():
        for kind, cls in family.kinds().items():
            assert cls.title, f"{family.section}.{kind} has no title"
            assert (cls.__doc__ or "").strip(), f"{family.section}.{kind} has no description"

"""A new package has to say where it belongs; the import contracts then hold it there."""

from typing import Any, cast

from tests.architecture.sources import PACKAGES, ROOT, pyproject

# What a web process may load of the engine's package; everything else in it needs torch.
WEB_SAFE = {"spec", "errors", "cli", "sites"}


def contracts() -> dict[str, Any]:
    return cast("dict[str, Any]", cast("dict[str, Any]", pyproject()["tool"])["importlinter"])


def contract(type_: str) -> dict[str, Any]:
    (found,) = [c for c in contracts()["contracts"] if c["type"] == type_]
    return cast("dict[str, Any]", found)


def test_every_distributed_package_is_in_a_layer() -> None:
    setuptools = cast("dict[str, Any]", pyproject()["tool"])["setuptools"]
    distributed = {name.rstrip("*") for name in setuptools["packages"]["find"]["include"]}
    assert distributed == set(PACKAGES)
    assert set(contracts()["root_packages"]) == distributed
    assert set(contract("layers")["layers"]) == distributed


def test_every_top_level_folder_with_code_is_known() -> None:
    with_code = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert with_code - {"tests", "benchmarks", "supply"} == set(PACKAGES)


def test_every_part_of_the_engine_is_protected_or_web_safe() -> None:
    parts = {
        path.stem
        for path in (ROOT / "fedcore").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    } - {"__init__"}
    protected = {name.partition(".")[2] for name in contract("protected")["protected_modules"]}
    assert parts - WEB_SAFE == protected

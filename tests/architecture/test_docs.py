"""What the documents say exists: links, make targets, settings, examples."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fedcore.spec import check, check_sweep, load_yaml
from tests.architecture.sources import PACKAGES, ROOT, python_files, relative

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
TARGET = re.compile(r"^([a-z0-9-]+):", re.MULTILINE)
HELPED_TARGET = re.compile(r"^([a-z0-9-]+):.*## ", re.MULTILINE)
VARIABLE = re.compile(r"\bROUNDHOUSE_[A-Z_]*[A-Z]\b")
MAKE_CALL = re.compile(r"(?<![\w-])make ([a-z0-9-]+)")


def documents() -> Iterator[Path]:
    yield from sorted(ROOT.glob("*.md"))
    for folder in ("docs", "changes", "docker"):
        yield from sorted((ROOT / folder).rglob("*.md"))


def test_every_link_leads_somewhere() -> None:
    broken = [
        f"{relative(path)}: {target}"
        for path in documents()
        for target in LINK.findall(CODE.sub("", path.read_text(encoding="utf-8")))
        if "://" not in target and not (path.parent / target).exists()
    ]
    assert broken == []


def test_every_make_target_that_has_help_is_documented() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    documented = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    missing = [t for t in HELPED_TARGET.findall(makefile) if f"| `make {t}` |" not in documented]
    assert missing == []


def test_every_make_target_that_is_documented_exists() -> None:
    targets = set(TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    named = {
        (relative(path), target)
        for path in documents()
        for code in CODE.findall(path.read_text(encoding="utf-8"))
        for target in MAKE_CALL.findall(code)
    }
    assert {(path, target) for path, target in named if target not in targets} == set()


@pytest.mark.parametrize("path", sorted((ROOT / "docs/examples").glob("*.yaml")), ids=relative)
def test_every_example_is_a_valid_spec(path: Path) -> None:
    assert check(load_yaml(path.read_text(encoding="utf-8"))).problems == ()


def test_every_example_of_the_first_screen_can_be_run() -> None:
    examples = json.loads(
        (ROOT / "frontend/src/features/home/examples.json").read_text(encoding="utf-8")
    )
    assert {"spec", "sweep"} == {key for example in examples for key in example} - {"id"}
    for example in examples:
        result = check_sweep(example["sweep"]) if "sweep" in example else check(example["spec"])
        assert result.problems == (), example["id"]


def test_the_readme_shows_the_example_that_it_names() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = next(b for b in re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL))
    file = load_yaml((ROOT / "docs/examples/digits-non-iid.yaml").read_text(encoding="utf-8"))
    assert check(load_yaml(block)).spec == check(file).spec


def test_every_setting_is_documented_with_its_default() -> None:
    from webapp.settings.env import PREFIX, Environment  # noqa: PLC0415  Django only for this test

    table = dict(
        re.findall(
            r"^\| `(\w+)` \| ([^|]*?) \|",
            (ROOT / "docs/operations.md").read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    )
    fields = {PREFIX + name.upper(): field for name, field in Environment.model_fields.items()}
    code = "\n".join(path.read_text(encoding="utf-8") for path in python_files(*PACKAGES))
    assert set(table) == set(fields) | set(VARIABLE.findall(code))
    for name, field in fields.items():
        if field.default is not None and field.default_factory is None:
            assert table[name].strip("`") == _written(field.default), name


def _written(default: object) -> str:
    """Return a default as one would write it into the environment."""
    if isinstance(default, bool):
        return "1" if default else "0"
    if isinstance(default, list):
        return ",".join(map(str, default))
    if isinstance(default, float):
        return f"{default:g}"
    return str(default)

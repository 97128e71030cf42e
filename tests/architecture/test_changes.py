"""Fragments have the right names, and joining them makes one entry and leaves none behind."""

import importlib.util
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest

from tests.architecture.sources import ROOT


@pytest.fixture(scope="module")
def joiner() -> ModuleType:
    spec = importlib.util.spec_from_file_location("join", ROOT / "changes" / "join.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "10.added.md").write_text("Ten.\n")
    (tmp_path / "9.added.md").write_text("Nine,\non two lines.\n")
    (tmp_path / "11.fixed.md").write_text("Eleven.\n")
    (tmp_path / "README.md").write_text("Not a fragment.\n")
    return tmp_path


def changelog_in(folder: Path, joiner: ModuleType) -> Path:
    path = folder / "CHANGELOG"
    path.write_text(f"# Changelog\n\n{joiner.MARK}\n\n## 0.1.0 (2025-01-01)\n")
    return path


def test_the_projects_own_fragments_are_named_right(joiner: ModuleType) -> None:
    found = joiner.fragments(ROOT / "changes")
    for path in (path for paths in found.values() for path in paths):
        assert path.read_text(encoding="utf-8").strip().endswith("."), path.name
    assert joiner.MARK in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_fragments_are_joined_in_order_and_removed(folder: Path, joiner: ModuleType) -> None:
    changelog = changelog_in(folder, joiner)
    joiner.join("0.2.0", date(2025, 2, 3), folder, changelog)
    assert changelog.read_text() == (
        f"# Changelog\n\n{joiner.MARK}\n\n"
        "## 0.2.0 (2025-02-03)\n\n"
        "### Added\n\n- Nine, on two lines.\n- Ten.\n\n"
        "### Fixed\n\n- Eleven.\n\n"
        "## 0.1.0 (2025-01-01)\n"
    )
    assert sorted(path.name for path in folder.glob("*.md")) == ["README.md"]


@pytest.mark.parametrize("version", ["", "1.2", "v1.2.3", "../1.2.3"])
def test_a_wrong_version_changes_nothing(folder: Path, joiner: ModuleType, version: str) -> None:
    changelog = changelog_in(folder, joiner)
    before = changelog.read_text()
    with pytest.raises(joiner.FragmentError):
        joiner.join(version, date(2025, 2, 3), folder, changelog)
    assert changelog.read_text() == before
    assert (folder / "9.added.md").exists()


def test_a_file_with_another_name_is_refused(folder: Path, joiner: ModuleType) -> None:
    (folder / "news.md").write_text("What is this?\n")
    with pytest.raises(joiner.FragmentError, match=r"news\.md"):
        joiner.fragments(folder)

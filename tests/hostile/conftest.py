"""What every hostile test has: a note for the table, and proof that nothing was written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.test import Client
from pytest_django import Settings

from tests import hostile_table
from tests.factories import make_member, make_project, make_run
from webapp.accounts.models import Project, User
from webapp.jobs.models import Run

Note = Callable[[str, str, str], None]


@pytest.fixture
def tried(request: pytest.FixtureRequest) -> Note:
    """Return how to say where something was tried, what it was, and what the answer was."""

    def note(surface: str, attack: str, answer: str) -> None:
        hostile_table.note(request.node, surface, attack, answer)

    return note


@pytest.fixture(autouse=True)
def _own_files(settings: Settings, tmp_path: Path) -> None:
    default = {**settings.STORAGES["default"], "OPTIONS": {"location": str(tmp_path / "files")}}
    settings.STORAGES = {**settings.STORAGES, "default": default}


def rows() -> dict[str, int]:
    """Return how many rows each table has."""
    return {model._meta.label: model._base_manager.count() for model in apps.get_models()}  # noqa: SLF001


def files_below(folder: Path) -> list[Path]:
    """Return every file below a folder."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def project(db: None) -> Project:  # noqa: ARG001
    return make_project()


@pytest.fixture
def editor(project: Project) -> User:
    return make_member(project)


@pytest.fixture
def run(editor: User, project: Project) -> Run:
    return make_run(editor, project)


@pytest.fixture
def browser(editor: User) -> Client:
    """A browser in which the editor is signed in."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(editor)
    return client


@pytest.fixture
def nothing_written(
    run: Run,
    browser: Client,  # noqa: ARG001  (its session is a row too, so it comes first)
    tmp_path: Path,
) -> Iterator[None]:
    """Check that a test has added no row, changed no run and left no file."""
    before, files = rows(), files_below(tmp_path)
    state = (run.state, run.last_seq, run.name)
    yield
    run.refresh_from_db()
    assert rows() == before
    assert (run.state, run.last_seq, run.name) == state
    assert files_below(tmp_path) == files

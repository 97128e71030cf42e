"""Who exists in the workers' tests, and where the runs' files go."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from tests.factories import make_member, make_project
from webapp.accounts.models import Project, User


@pytest.fixture
def files(settings: Settings, tmp_path: Path) -> Path:
    """Give each test its own folder for checkpoints and models."""
    folder = tmp_path / "files"
    default = {**settings.STORAGES["default"], "OPTIONS": {"location": str(folder)}}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    return folder


@pytest.fixture
def project(transactional_db: None, files: Path) -> Project:  # noqa: ARG001
    """Rows that are really committed: the heartbeat has a connection of its own."""
    return make_project()


@pytest.fixture
def editor(project: Project) -> User:
    return make_member(project)

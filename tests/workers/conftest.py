"""Who exists in the workers' tests, and where the runs' files go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from pytest_django import Settings

from fedcore.spec import RunSpec
from tests.factories import make_member, make_project, make_run
from tests.workers.flights_in_process import Begin
from tests.workers.sites_in_process import SECTIONS, Server, Site, make_sites
from webapp.accounts.models import Project, User
from webapp.accounts.roles import Role
from webapp.jobs.models import Run


@pytest.fixture
def files(settings: Settings, tmp_path: Path) -> Path:
    """Give each test its own folder for checkpoints and models."""
    folder = tmp_path / "files"
    default = {**settings.STORAGES["default"], "OPTIONS": {"location": str(folder)}}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    return folder


@pytest.fixture
def project(transactional_db: None, files: Path) -> Project:
    """Rows that are really committed: the heartbeat has a connection of its own."""
    return make_project()


@pytest.fixture
def editor(project: Project) -> User:
    return make_member(project)


@pytest.fixture(autouse=True)
def _no_requests_yet() -> None:
    cache.clear()


@pytest.fixture
def admin(project: Project) -> User:
    return make_member(project, Role.ADMIN, username="ada")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    return Server(monkeypatch)


@pytest.fixture
def sites(admin: User, project: Project, tmp_path: Path) -> list[Site]:
    return make_sites(admin, project, tmp_path)


@pytest.fixture
def run(server: Server, sites: list[Site], admin: User, project: Project) -> Run:
    made = make_run(admin, project, **SECTIONS)
    server.work()
    return made


@pytest.fixture
def begin(admin: User, project: Project, server: Server, tmp_path: Path) -> Begin:
    enrolled: list[Site] = []

    def launched(algorithm: dict[str, Any], **sections: Any) -> tuple[Run, list[Site]]:
        made = {**SECTIONS, "algorithm": algorithm, **sections}
        if not enrolled:
            enrolled.extend(make_sites(admin, project, tmp_path, made))
        run = make_run(admin, project, **made)
        server.work()
        spec = RunSpec.parse(made)
        return run, [Site(site.agent, site.place, spec, tmp_path) for site in enrolled]

    return launched

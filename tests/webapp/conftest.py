"""Who exists in the tests of the web application, and where their files go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from asgiref.sync import SyncToAsync
from django.db import connection, connections
from pytest_django import DjangoDbBlocker, Settings
from rest_framework.test import APIClient

from tests.factories import make_member, make_project, make_run
from webapp.accounts.models import Project, User
from webapp.accounts.roles import Role
from webapp.jobs.models import Run
from webapp.readers import doorkeeper, reader


@pytest.fixture(autouse=True)
def _own_files(settings: Settings, tmp_path: Path) -> None:
    """Give each test its own folder for checkpoints and models."""
    default = {**settings.STORAGES["default"], "OPTIONS": {"location": str(tmp_path / "files")}}
    settings.STORAGES = {**settings.STORAGES, "default": default}


@pytest.fixture(scope="session", autouse=True)
def _no_reader_left(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Close the connections of other threads before the test database is removed."""
    yield
    reader.close()
    doorkeeper.close()
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()
    # A thread that a websocket's test has left to the event loop may still hold one.
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture
def project(db: None) -> Project:
    return make_project()


@pytest.fixture
def editor(project: Project) -> User:
    return make_member(project, Role.EDITOR)


@pytest.fixture
def viewer(project: Project) -> User:
    return make_member(project, Role.VIEWER)


@pytest.fixture
def stranger(db: None) -> User:
    """Somebody who may do everything, in another project."""
    return make_member(make_project(), Role.ADMIN, is_staff=True)


@pytest.fixture
def run(editor: User, project: Project) -> Run:
    return make_run(editor, project)


def signed_in(user: User) -> APIClient:
    api = APIClient()
    api.force_authenticate(user)
    return api


@pytest.fixture
def api(editor: User) -> APIClient:
    """The editor's way to the API."""
    return signed_in(editor)

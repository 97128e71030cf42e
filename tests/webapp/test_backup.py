"""The backup that ``docs/operations.md`` describes holds everything, and a restored run goes on."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
from pathlib import Path

import psycopg2
import pytest
from django.db import connection

from tests.architecture.sources import ROOT
from tests.factories import begin, make_member, make_project, make_run, report
from tests.faults.servers import own_database
from webapp.jobs import services

pytestmark = pytest.mark.django_db(transaction=True)

_COUNTS = "SELECT (SELECT count(*) FROM jobs_run), (SELECT count(*) FROM jobs_roundrecord)"


def documented(program: str) -> list[str]:
    """Return the words of a command as the manual has it."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    found = re.search(rf"^{program} .*$", page, re.MULTILINE)
    assert found is not None
    return found.group().split()


def work() -> None:
    project = make_project()
    lease = begin(make_run(make_member(project), project))
    services.record_round(lease=lease, report=report(0))


@pytest.mark.skipif(shutil.which("pg_dump") is None, reason="needs the tools of PostgreSQL")
def test_postgresql_comes_back_from_its_dump(tmp_path: Path) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("the tests run on SQLite")
    work()
    settings = connection.get_connection_params()
    source = psycopg2.extensions.make_dsn(
        **{k: v for k, v in settings.items() if k in ("dbname", "user", "password", "host", "port")}
    )
    dump = tmp_path / "roundhouse.dump"
    with own_database() as target:
        for program, database in (("pg_dump", source), ("pg_restore", target)):
            words = [word.replace("roundhouse.dump", str(dump)) for word in documented(program)]
            words = [word.replace('"$ROUNDHOUSE_DATABASE_URL"', database) for word in words]
            subprocess.run(words, check=True)
        restored = psycopg2.connect(target)
        with restored.cursor() as cursor:
            cursor.execute(_COUNTS)
            assert cursor.fetchone() == (1, 1)
        restored.close()


def test_sqlite_comes_back_from_a_copy_made_while_it_is_in_use(tmp_path: Path) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("the tests run on PostgreSQL")
    work()
    with sqlite3.connect(connection.settings_dict["NAME"]) as source:
        with sqlite3.connect(tmp_path / "backup.sqlite3") as target:
            source.backup(target)  # what .backup of the command line does
            assert target.execute(_COUNTS).fetchone() == (1, 1)
        target.close()
    source.close()

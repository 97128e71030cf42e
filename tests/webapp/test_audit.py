"""The audit log: who, what, when, from where, on which object, before and after; added to only."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.db import Error as AnyDatabaseError
from django.db import connection, transaction

from tests.factories import make_member
from tests.webapp.conftest import signed_in
from webapp.accounts.audit import record
from webapp.accounts.audit_models import AppendOnlyError
from webapp.accounts.models import AuditEntry, Project, User
from webapp.accounts.roles import Role
from webapp.jobs.models import Run


def test_a_change_says_who_did_what_from_where_and_what_was_before(run: Run, editor: User) -> None:
    api = signed_in(editor)
    headers = {"X-Request-ID": "request-7"}
    api.post(f"/api/v1/runs/{run.pk}/pause/", REMOTE_ADDR="192.0.2.1", headers=headers)
    entry = AuditEntry.objects.first()
    assert entry is not None
    assert (entry.actor_id, entry.actor_name) == (editor.pk, editor.username)
    assert (entry.credential, entry.address) == ("session", "192.0.2.1")
    assert entry.request_id == "request-7"
    assert (entry.action, entry.object_type) == ("run.pause", "run")
    assert (entry.object_id, entry.project_id) == (str(run.pk), run.project_id)
    assert (entry.before, entry.after) == ({"state": "queued"}, {"state": "paused"})


def test_what_changes_nothing_leaves_no_entry(run: Run, editor: User) -> None:
    api = signed_in(editor)
    before = AuditEntry.objects.count()
    assert api.patch(f"/api/v1/runs/{run.pk}/", {"name": run.name}).status_code == 200
    assert AuditEntry.objects.count() == before


def test_an_entry_is_gone_when_its_change_is_undone(run: Run, editor: User) -> None:
    before = AuditEntry.objects.count()
    with transaction.atomic():
        record(actor=editor, action="x", row=run)
        transaction.set_rollback(True)
    assert AuditEntry.objects.count() == before


def test_the_code_refuses_to_change_or_delete_an_entry(run: Run, editor: User) -> None:
    entry = record(actor=editor, action="x", row=run)
    entry.action = "y"
    with pytest.raises(AppendOnlyError):
        entry.save()
    with pytest.raises(AppendOnlyError):
        entry.delete()
    with pytest.raises(AppendOnlyError):
        AuditEntry.objects.all().delete()
    with pytest.raises(AppendOnlyError):
        AuditEntry.objects.update(action="y")


def _statements() -> list[str]:
    change = "UPDATE accounts_auditentry SET action = 'y'"
    # SQLite's trigger leaves deletion to the code: to empty a test database is to delete.
    return [change, "DELETE FROM accounts_auditentry"] if _is_postgresql() else [change]


def _is_postgresql() -> bool:
    return connection.vendor == "postgresql"


def test_the_database_refuses_it_too(run: Run, editor: User) -> None:
    entry = record(actor=editor, action="x", row=run)
    for statement in _statements():
        with (
            pytest.raises(AnyDatabaseError, match="only ever added to"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
    entry.refresh_from_db()
    assert entry.action == "x"


def test_entries_outlive_what_they_are_about(project: Project, editor: User) -> None:
    admin = make_member(project, Role.ADMIN)
    member = editor.memberships.get()
    api = signed_in(admin)
    url = f"/api/v1/projects/{project.pk}/members/{member.pk}/"
    assert api.delete(url).status_code == 204
    entry = AuditEntry.objects.get(action="member.remove")
    assert (entry.object_id, entry.before) == (str(member.pk), {"role": "editor"})
    assert editor.username in entry.object_name


def test_administrators_read_their_projects_entries_and_others_their_own(
    run: Run, editor: User, project: Project, stranger: User
) -> None:
    signed_in(editor).post(f"/api/v1/runs/{run.pk}/pause/")
    admin = make_member(project, Role.ADMIN)
    viewer = make_member(project, Role.VIEWER)

    def actions(user: User, query: str = "") -> list[str]:
        rows = signed_in(user).get(f"/api/v1/audit/{query}").json()["results"]
        return [row["action"] for row in rows]

    assert actions(admin) == ["run.pause", "run.launch", "job.create"]
    assert actions(editor) == ["run.pause", "run.launch", "job.create"]
    assert actions(viewer) == actions(stranger) == []
    assert actions(admin, "?action=run.") == ["run.pause", "run.launch"]
    assert actions(admin, f"?object={run.pk}&actor={editor.username}&action=run.pause") == [
        "run.pause"
    ]
    assert actions(admin, "?since=2999-01-01T00:00:00Z") == []


def test_the_log_is_exported_as_csv_and_json_lines(
    run: Run, editor: User, project: Project
) -> None:
    api = signed_in(make_member(project, Role.ADMIN))
    body = {"name": "=1+1"}
    signed_in(editor).patch(f"/api/v1/runs/{run.pk}/", body)
    lines = api.get("/api/v1/audit/export/?as=jsonl&action=run.describe")
    (entry,) = [json.loads(line) for line in lines.getvalue().decode().splitlines()]
    assert entry["after"] == {"name": "=1+1"}
    table = api.get("/api/v1/audit/export/")
    assert table.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(table.getvalue().decode())))
    assert [row["action"] for row in rows] == ["run.describe", "run.launch", "job.create"]
    # A spreadsheet must not take a name for a formula.
    assert not any(cell.startswith("=") for row in rows for cell in row.values())

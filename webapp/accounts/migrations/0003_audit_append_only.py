"""Let the database itself refuse to change what the audit log holds.

On SQLite deletion is left to the code's own refusal: to empty a test database is to delete.
"""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

POSTGRESQL = """
CREATE FUNCTION roundhouse_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is only ever added to';
END $$;
CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON accounts_auditentry
    FOR EACH ROW EXECUTE FUNCTION roundhouse_audit_is_append_only();
"""
SQLITE = """
CREATE TRIGGER audit_is_append_only BEFORE UPDATE ON accounts_auditentry
BEGIN
    SELECT RAISE(ABORT, 'the audit log is only ever added to');
END;
"""
UNDO = {
    "postgresql": """
        DROP TRIGGER audit_is_append_only ON accounts_auditentry;
        DROP FUNCTION roundhouse_audit_is_append_only();
    """,
    "sqlite": "DROP TRIGGER audit_is_append_only;",
}


def protect(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    vendor = schema_editor.connection.vendor
    statement = {"postgresql": POSTGRESQL, "sqlite": SQLITE}.get(vendor)
    if statement:
        schema_editor.execute(statement)


def unprotect(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    statement = UNDO.get(schema_editor.connection.vendor)
    if statement:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_tokens_and_audit")]

    operations = [migrations.RunPython(protect, unprotect)]

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from webapp.jobs.models import Job, Run, RunEvent


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """For looking only: a change past the services would be a change without its event."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = ("name", "project", "created_by", "created_at", "runs_launched")
    list_select_related = ("project", "created_by")
    search_fields = ("name", "id")


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = (
        "name",
        "number",
        "project",
        "state",
        "rounds_done",
        "lease_holder",
        "queued_at",
    )
    list_filter = ("state", "project")
    list_select_related = ("project",)
    search_fields = ("name", "id", "digest")
    exclude = ("lease_token",)


@admin.register(RunEvent)
class RunEventAdmin(ReadOnlyAdmin):
    list_display = ("run", "seq", "kind", "created_at")
    list_filter = ("kind",)
    list_select_related = ("run",)
    search_fields = ("run__id",)
    show_full_result_count = False

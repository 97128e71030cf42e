from __future__ import annotations

from django.contrib import admin

from webapp.artifacts.models import Artifact
from webapp.jobs.admin import ReadOnlyAdmin


@admin.register(Artifact)
class ArtifactAdmin(ReadOnlyAdmin):
    list_display = ("run", "kind", "name", "size_bytes", "round_index", "created_at")
    list_filter = ("kind",)
    list_select_related = ("run",)
    search_fields = ("run__id", "sha256")

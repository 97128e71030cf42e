from __future__ import annotations

from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialApp, SocialToken
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import UserAdmin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from webapp.accounts.audit import record
from webapp.accounts.models import ApiToken, AuditEntry, Membership, Project, User


class AuditedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """What is changed here is in the audit log like everything else."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        return self._recorded(request, obj, "create", super().log_addition(request, obj, message))

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        return self._recorded(request, obj, "change", super().log_change(request, obj, message))

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Model]) -> list[LogEntry]:
        entries: list[LogEntry] = super().log_deletions(request, queryset)
        for row in queryset:
            self._record(request, row, "delete", "")
        return entries

    def _recorded(self, request: HttpRequest, row: Model, verb: str, entry: LogEntry) -> LogEntry:
        self._record(request, row, verb, entry.get_change_message())
        return entry

    def _record(self, request: HttpRequest, row: Model, verb: str, message: str) -> None:
        actor = request.user if isinstance(request.user, User) else None
        kind = row._meta.model_name  # noqa: SLF001  Django's own API
        after = {"administration": message} if message else None
        record(actor=actor, action=f"{kind}.{verb}", row=row, after=after)


@admin.register(User)
class AccountAdmin(AuditedAdmin, UserAdmin):  # type: ignore[type-arg]  # not generic at run time
    pass


@admin.register(AuditEntry)
class AuditEntryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """For looking only."""

    list_display = ("at", "actor_name", "action", "object_type", "object_name", "address")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]  # not generic at run time
    model = Membership
    extra = 0


@admin.register(Project)
class ProjectAdmin(AuditedAdmin):
    list_display = ("name", "created_at")
    inlines = (MembershipInline,)


@admin.register(ApiToken)
class ApiTokenAdmin(AuditedAdmin):
    """Tokens can be revoked here, but neither made nor read."""

    list_display = ("name", "user", "token_key", "created", "expiry")
    list_select_related = ("user",)
    fields: ClassVar[tuple[str, ...]] = ("name", "user", "token_key", "created", "expiry")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False


# Providers come from the environment, addresses prove nothing here: these screens would mislead.
for unused in (EmailAddress, SocialApp, SocialToken):
    if admin.site.is_registered(unused):
        admin.site.unregister(unused)
if admin.site.is_registered(Authenticator):
    admin.site.unregister(Authenticator)


@admin.register(Authenticator)
class SecondFactorAdmin(AuditedAdmin):
    """For somebody who has lost a factor and all recovery codes: an operator removes it."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_select_related = ("user",)
    fields: ClassVar[tuple[str, ...]] = ("user", "type", "created_at", "last_used_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

"""Who may use which route: the one table, and the one place that decides by it.

Every route, websocket and task has a line here. A route without one answers nobody, and fails
the suite (``tests/webapp/test_permission_matrix.py``). The door is checked here, before a request
is looked into; behind it every query is limited by ``visible_to`` and every change asks
``permissions.require``, so that a line that is too generous still opens nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.apps import apps
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from webapp.accounts.models import User
from webapp.accounts.permissions import ScopeError, require_operator
from webapp.accounts.roles import Permission, Role, Scope, allows
from webapp.accounts.site_identity import SiteIdentity
from webapp.errors import ForbiddenError, NotFoundError

if TYPE_CHECKING:  # REST framework's views look for their permissions while they are imported
    from rest_framework.views import APIView


class Reach(StrEnum):
    """Who a route is for."""

    PUBLIC = "everybody"
    USER = "users"  # the same for all of them, or nothing but what is their own
    BROWSER = "users at a browser"  # no token: one that was stolen must not make more of itself
    PROJECT = "members"  # the path names a row of a project
    ROWS = "rows of members"  # lists, and bodies that name rows: the query is limited
    OPERATOR = "operators"  # who run the installation
    SITE = "real sites"  # by requests that they sign; no user, and no right in any project


@dataclass(frozen=True, slots=True)
class Rule:
    """What one method of one route needs."""

    reach: Reach
    #: In the project of the row; elsewhere what a token has to lend.
    permission: Permission = Permission.READ
    #: The model that the path names a row of, and the part of the path that does.
    model: str = ""
    key: str = ""
    #: Whether a success is a change, which the audit log has to hold.
    is_change: bool = False


_READ, _WRITE, _MANAGE = Permission.READ, Permission.WRITE, Permission.MANAGE


def _change(permission: Permission = _WRITE, reach: Reach = Reach.ROWS) -> Rule:
    return Rule(reach, permission, is_change=True)


def _row(model: str, permission: Permission = _READ, *, is_change: bool | None = None) -> Rule:
    """Return the rule of a route whose path names a row of a project."""
    changes = permission is not _READ if is_change is None else is_change
    return Rule(Reach.PROJECT, permission, model, _KEYS[model], changes)


_KEYS = {
    "accounts.Project": "project_id",
    "jobs.Job": "job_id",
    "jobs.Run": "run_id",
    "jobs.Sweep": "job_id",
    "sites.Site": "site_id",
}
_PROJECT, _JOB, _RUN, _SITE = "accounts.Project", "jobs.Job", "jobs.Run", "sites.Site"

PUBLIC = Rule(Reach.PUBLIC)
USER = Rule(Reach.USER)
BROWSER = Rule(Reach.BROWSER)
ROWS = Rule(Reach.ROWS)
OPERATOR = Rule(Reach.OPERATOR)
#: What a site does is recorded by the services, with the site in the place of a person.
SITE = Rule(Reach.SITE)
_OWN_CHANGE = Rule(Reach.USER, _WRITE)  # what only its owner sees is not recorded
_ACCOUNT_CHANGE = _change(_READ, Reach.BROWSER)
_OPERATION = _change(_MANAGE, Reach.OPERATOR)
_LIST, _SUBMIT = ROWS, _change()

#: By the path below ``/api/v1/``, then by method.
REST: dict[str, dict[str, Rule]] = {
    "auth/csrf/": {"GET": PUBLIC},
    "auth/login/": {"POST": PUBLIC},
    "auth/logout/": {"POST": USER},
    "auth/me/": {"GET": USER},
    "auth/options/": {"GET": PUBLIC},
    "auth/request/": {"POST": PUBLIC},
    "auth/sessions/": {"GET": BROWSER, "DELETE": _ACCOUNT_CHANGE},
    "auth/sessions/<int:session_id>/": {"DELETE": _ACCOUNT_CHANGE},
    "invitations/preview/": {"POST": PUBLIC},
    "invitations/accept/": {"POST": PUBLIC},
    "users/": {"GET": OPERATOR},
    "users/<uuid:user_id>/": {"PATCH": _OPERATION},
    # Of one's projects as their administrator; of the installation as an operator.
    "audit/": {"GET": _LIST},
    "audit/export/": {"GET": _LIST},
    "tokens/": {"GET": USER, "POST": _ACCOUNT_CHANGE},
    "tokens/<uuid:token_id>/": {"DELETE": _ACCOUNT_CHANGE},
    "projects/": {"GET": _LIST, "POST": _OPERATION},
    "projects/<uuid:project_id>/": {"GET": _row(_PROJECT), "PATCH": _row(_PROJECT, _MANAGE)},
    "projects/<uuid:project_id>/members/": {"GET": _row(_PROJECT)},
    "projects/<uuid:project_id>/members/<uuid:member_id>/": {
        "PATCH": _row(_PROJECT, _MANAGE),
        # Everybody may leave; to remove others needs more, which the service asks for.
        "DELETE": _row(_PROJECT, is_change=True),
    },
    "projects/<uuid:project_id>/invitations/": {
        "GET": _row(_PROJECT, _MANAGE, is_change=False),
        "POST": _row(_PROJECT, _MANAGE),
    },
    "projects/<uuid:project_id>/invitations/<uuid:invitation_id>/": {
        "DELETE": _row(_PROJECT, _MANAGE)
    },
    "projects/<uuid:project_id>/tokens/": {
        "GET": _row(_PROJECT, _MANAGE, is_change=False),
        "POST": _row(_PROJECT, _MANAGE),
    },
    "projects/<uuid:project_id>/tokens/<uuid:token_id>/": {"DELETE": _row(_PROJECT, _MANAGE)},
    "projects/<uuid:project_id>/quota/": {"GET": _row(_PROJECT), "PUT": _OPERATION},
    "catalogue/": {"GET": USER},
    "spec/schema/": {"GET": USER},
    "spec/validate/": {"POST": USER},
    "spec/partition/": {"POST": ROWS},
    "intents/": {"POST": USER},
    "jobs/": {"GET": _LIST, "POST": _SUBMIT},
    "jobs/<uuid:job_id>/": {"GET": _row(_JOB), "DELETE": _row(_JOB, _WRITE)},
    "jobs/<uuid:job_id>/runs/": {"GET": _row(_JOB), "POST": _row(_JOB, _WRITE)},
    "jobs/<uuid:job_id>/sweep/": {"GET": _row("jobs.Sweep")},
    "jobs/<uuid:job_id>/sweep/cancel/": {"POST": _row("jobs.Sweep", _WRITE)},
    "jobs/<uuid:job_id>/sweep/resume/": {"POST": _row("jobs.Sweep", _WRITE)},
    "sweeps/": {"GET": _LIST},
    "runs/": {"GET": _LIST},
    # Stars are set with a read role; what needs more is asked for run by run.
    "runs/bulk/": {"POST": ROWS},
    "runs/facets/": {"GET": _LIST},
    "runs/sparklines/": {"GET": _LIST},
    # Of a run, too, a member who may only read may set a star.
    "runs/<uuid:run_id>/": {"GET": _row(_RUN), "PATCH": _row(_RUN, is_change=True)},
    "runs/<uuid:run_id>/pause/": {"POST": _row(_RUN, _WRITE)},
    "runs/<uuid:run_id>/resume/": {"POST": _row(_RUN, _WRITE)},
    "runs/<uuid:run_id>/cancel/": {"POST": _row(_RUN, _WRITE)},
    "runs/<uuid:run_id>/retry/": {"POST": _row(_RUN, _WRITE)},
    "runs/<uuid:run_id>/retry-failed/": {"POST": _row(_RUN, _WRITE)},
    "runs/<uuid:run_id>/metrics/": {"GET": _row(_RUN)},
    "runs/<uuid:run_id>/clients/": {"GET": _row(_RUN)},
    "runs/<uuid:run_id>/client-rounds/": {"GET": _row(_RUN)},
    "runs/<uuid:run_id>/logs/": {"GET": _row(_RUN)},
    "runs/<uuid:run_id>/failures/": {"GET": _row(_RUN)},
    "runs/<uuid:run_id>/events/": {"GET": _row(_RUN)},
    "runs/<uuid:run_id>/artifacts/": {"GET": _row(_RUN)},
    "runs/<uuid:run_id>/model/": {"GET": _row(_RUN)},
    "compare/": {"GET": ROWS},
    "projects/<uuid:project_id>/sites/": {"POST": _row(_PROJECT, _MANAGE)},
    "sites/": {"GET": _LIST},
    "sites/eligibility/": {"POST": ROWS},
    "sites/draft/": {"POST": ROWS},
    "sites/<uuid:site_id>/": {"GET": _row(_SITE)},
    "sites/<uuid:site_id>/invitation/": {"POST": _row(_SITE, _MANAGE)},
    "sites/<uuid:site_id>/approve/": {"POST": _row(_SITE, _MANAGE)},
    "sites/<uuid:site_id>/revoke/": {"POST": _row(_SITE, _MANAGE)},
    "sites/<uuid:site_id>/history/": {"GET": _row(_SITE)},
    "sites/<uuid:site_id>/tasks/": {"GET": _row(_SITE)},
    "runs/<uuid:run_id>/sites/": {"GET": _row(_RUN)},
    "site/enrol/": {"POST": PUBLIC},
    "site/status/": {"GET": SITE},
    "site/heartbeat/": {"POST": SITE},
    "site/key/": {"POST": SITE},
    "site/tasks/": {"GET": SITE},
    "site/runs/<uuid:run_id>/": {"GET": SITE},
    "site/tasks/<uuid:task_id>/accept/": {"POST": SITE},
    "site/tasks/<uuid:task_id>/refuse/": {"POST": SITE},
    "site/tasks/<uuid:task_id>/fail/": {"POST": SITE},
    "site/tasks/<uuid:task_id>/message/": {"GET": SITE},
    "site/tasks/<uuid:task_id>/upload/": {"GET": SITE, "PUT": SITE},
    "site/tasks/<uuid:task_id>/result/": {"POST": SITE},
    "views/": {"GET": USER, "POST": _OWN_CHANGE},
    "views/<uuid:view_id>/": {"DELETE": _OWN_CHANGE},
    "workers/": {"GET": USER},
    "health/live/": {"GET": PUBLIC},
    "health/ready/": {"GET": PUBLIC},
    "schema/": {"GET": PUBLIC},
}

#: Routes of allauth: how one comes in, and what only who is in may do to the own account. It knows
#: no tokens, so all of them are for browsers.
_ALLAUTH: dict[str, Reach] = {
    "auth/session": Reach.PUBLIC,
    "auth/2fa/authenticate": Reach.PUBLIC,
    "auth/webauthn/login": Reach.PUBLIC,
    "auth/webauthn/authenticate": Reach.PUBLIC,
    "auth/provider/redirect": Reach.PUBLIC,
    "auth/reauthenticate": Reach.BROWSER,
    "auth/2fa/reauthenticate": Reach.BROWSER,
    "auth/webauthn/reauthenticate": Reach.BROWSER,
    "account/providers": Reach.BROWSER,
    "account/password/change": Reach.BROWSER,
    "account/authenticators": Reach.BROWSER,
    "account/authenticators/totp": Reach.BROWSER,
    "account/authenticators/recovery-codes": Reach.BROWSER,
    "account/authenticators/webauthn": Reach.BROWSER,
}

#: Routes that are no REST: what their own code asks for. ``admin/`` stands for all below it.
PAGES: dict[str, Reach] = {
    r"^(?:api|ws|_allauth|accounts)(?:/|$)": Reach.PUBLIC,  # 404 for all
    "accounts/oidc/<str:provider_id>/login/callback/": Reach.PUBLIC,  # by the provider's answer
    **{f"_allauth/browser/v1/{path}": reach for path, reach in _ALLAUTH.items()},
    "metrics": Reach.OPERATOR,  # by a token of its own, or from this machine
    "admin/": Reach.OPERATOR,
    r"^(?!static/).*$": Reach.PUBLIC,  # the front end, the same for all
}

#: Websockets, checked when they are opened and again at each look.
SOCKETS: dict[str, Rule] = {
    "ws/runs/<uuid:run_id>/": _row(_RUN),
    "ws/site/": SITE,
    "": PUBLIC,  # closed at once
}


class ActsFor(StrEnum):
    """On whose behalf a task works; none takes the word of its message for it."""

    ROW = "the row that the message names, as it stands in the database"
    INSTALLATION = "the installation; the message carries nothing"


#: Tasks: what they act for, and all that a message may carry.
TASKS: dict[str, tuple[ActsFor, tuple[str, ...]]] = {
    "runs.advance": (ActsFor.ROW, ("run_id",)),
    "runs.train_chunk": (ActsFor.ROW, ("chunk_id",)),
    "sweeps.advance": (ActsFor.ROW, ("job_id",)),
    "previews.partition": (ActsFor.ROW, ("key",)),
    "intents.answer": (ActsFor.ROW, ("request_id",)),
    "upkeep.reconcile": (ActsFor.INSTALLATION, ()),
    "upkeep.discard_old": (ActsFor.INSTALLATION, ()),
}

_PREFIX = "api/v1/"


class NoRuleError(ForbiddenError):
    """Nobody has said who this route is for, so it is for nobody."""

    code = "no_rule"


def rule_of(route: str, method: str) -> Rule | None:
    """Return the rule of a REST route, or None if there is none."""
    methods = REST.get(route.removeprefix(_PREFIX))
    return None if methods is None else methods.get("GET" if method == "HEAD" else method)


def admit(user: User, rule: Rule, kwargs: dict[str, Any]) -> None:
    """Let a user who is signed in pass, or say why not.

    Raises:
        NotFoundError: If the row is of a project that the user does not belong to, or is not there.
        ForbiddenError: If the user's role, or the scope of the token, does not reach so far.
    """
    if rule.reach is Reach.PROJECT:
        _admit_to_row(user, rule, kwargs)
    elif rule.reach is Reach.OPERATOR:
        require_operator(user)
    elif user.token_scope is not None:
        _admit_token(user.token_scope, rule)


def _admit_token(scope: Scope, rule: Rule) -> None:
    if rule.reach is Reach.BROWSER:
        raise ScopeError("This can be done at a browser only, not with a token.")
    if not allows(scope.role, rule.permission):
        raise ScopeError(f"This token's scope, {scope}, does not allow this.")


def _admit_to_row(user: User, rule: Rule, kwargs: dict[str, Any]) -> None:
    model: Any = apps.get_model(rule.model)
    name = model._meta.verbose_name  # noqa: SLF001  Django's own API
    row = model._default_manager.visible_to(user).filter(pk=kwargs[rule.key])  # noqa: SLF001
    role = row.values_list("viewer_role", flat=True).first()
    if role is None:
        raise NotFoundError(f"There is no such {name}.")
    if not allows(Role(role), rule.permission):
        acts_as = "role in this project" if user.token_scope is None else "role, by this token,"
        raise ForbiddenError(f"Your {acts_as}, {role}, does not allow this.")


class Ruled(BasePermission):
    """The permission of every REST view: what the table says, and nothing without it."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        match = request.resolver_match
        route = match.route if match is not None else ""
        rule = rule_of(route, request.method or "")
        if rule is None:
            return _is_harmless(request, view)
        if rule.reach is Reach.PUBLIC:
            return True
        if rule.reach is Reach.SITE:
            return isinstance(request.auth, SiteIdentity)
        if not isinstance(request.user, User):
            return False
        admit(request.user, rule, match.kwargs if match is not None else {})
        return True


def _is_harmless(request: Request, view: APIView) -> bool:
    method = (request.method or "").lower()
    if method == "options":
        return isinstance(request.user, User)
    if hasattr(view, method):
        raise NoRuleError("No rule says who may do this, so nobody may.")
    return isinstance(request.user, User)  # answered by 405

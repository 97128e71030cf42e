"""Role x endpoint x owner: every route, websocket, page and task that there is, found by itself.

Nothing here names a route. Routes are read from the URL configuration, their methods from the
views, and what each actor must get from the one table of rules. A route that has no rule, or a rule
whose route is gone, fails.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import DjangoDbBlocker
from rest_framework.test import APIClient

from tests.factories import make_member, make_project, make_run, make_sweep
from webapp import urls
from webapp.accounts import rules
from webapp.accounts.models import AuditEntry, Project, User
from webapp.accounts.roles import Role, Scope, allows, lowered
from webapp.accounts.rules import Reach, Rule
from webapp.accounts.services import create_token
from webapp.celery import app
from webapp.sites.models import Site

#: Rows that are only ever read through the row they belong to.
REACHED = {
    "Membership",
    "Invitation",
    "ApiToken",
    "ProjectShare",
    "Chunk",
    "ClientTable",
    "RunTag",
    "Favourite",
    "RunSite",
    "SiteDataset",
    "SiteNonce",
    "SiteRound",
    "SiteTask",
}
METHODS = ("get", "post", "put", "patch", "delete")
API = "api/v1/"


def _patterns(resolver: Any = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in (resolver or get_resolver()).url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _patterns(entry, path)
        else:
            yield path, entry


def _methods(pattern: URLPattern) -> list[str]:
    view: Any = getattr(pattern.callback, "view_class", getattr(pattern.callback, "cls", None))
    assert view is not None, f"{pattern} is no class of REST framework"
    return [method.upper() for method in METHODS if hasattr(view, method)]


ROUTES = dict(_patterns())
FOUND = {
    (path.removeprefix(API), method)
    for path, pattern in ROUTES.items()
    if path.startswith(API)
    for method in _methods(pattern)
}
DECLARED = {(path, method) for path, methods in rules.REST.items() for method in methods}
CASES = sorted(FOUND & DECLARED)
SOCKETS = [str(route.pattern) for route in urls.websocket_urlpatterns]


def test_every_route_has_a_rule_and_every_rule_a_route() -> None:
    assert set() == FOUND - DECLARED, "add a line to webapp/accounts/rules.py"
    assert set() == DECLARED - FOUND, "these lines of webapp/accounts/rules.py have no route"


def test_every_page_says_who_it_is_for() -> None:
    pages = {path for path in ROUTES if not path.startswith(API)}
    unknown = {path for path in pages if path not in rules.PAGES}
    assert {path for path in unknown if not path.startswith("admin/")} == set()
    assert set(rules.PAGES) - pages <= {"admin/"}


def test_every_websocket_has_a_rule() -> None:
    assert sorted(SOCKETS) == sorted(rules.SOCKETS)


def test_every_task_says_for_whom_it_acts_and_takes_nothing_but_ids() -> None:
    app.loader.import_default_modules()
    import workers.intents  # noqa: PLC0415  registers its tasks
    import workers.previews  # noqa: PLC0415
    import workers.runs  # noqa: PLC0415
    import workers.upkeep  # noqa: PLC0415, F401

    tasks = {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}
    assert set(tasks) == set(rules.TASKS)
    for name, task in tasks.items():
        assert tuple(inspect.signature(task.run).parameters) == rules.TASKS[name][1], name


def test_no_view_brings_a_permission_of_its_own() -> None:
    for path, pattern in ROUTES.items():
        if path.startswith(API):
            view: Any = getattr(
                pattern.callback, "view_class", getattr(pattern.callback, "cls", None)
            )
            assert list(view.permission_classes) == [rules.Ruled], path


@dataclass(frozen=True)
class World:
    """Rows of one project, and who is there to reach for them."""

    project: Project
    rows: dict[str, str]  # by the part of a path that names such a row
    actors: dict[str, Actor]


@dataclass(frozen=True)
class Actor:
    """Somebody with a credential."""

    user: User | None
    role: Role | None = None  # in the project of the rows
    scope: Scope | None = None

    def client(self) -> APIClient:
        api = APIClient()
        if self.user is not None:
            self.user.token_scope = self.scope
            api.force_authenticate(self.user)
        return api


def samples(owner: User, project: Project) -> dict[str, Callable[[], str]]:
    """Return, for each kind of row that a path can name, how one is made by the owner."""
    run = make_run(owner, project)
    return {
        "accounts.Project": lambda: str(project.pk),
        "jobs.Job": lambda: str(run.job_id),
        "jobs.Run": lambda: str(run.pk),
        "jobs.Sweep": lambda: str(make_sweep(owner, project, axes={"seed": [1, 2]}, name="s").pk),
        "sites.Site": lambda: str(
            Site.objects.create(project=project, name="north", created_by=owner).pk
        ),
    }


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """One world for all cases: each request is rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield make_world()
        transaction.set_rollback(True)


def make_world() -> World:
    project = make_project()
    owner = make_member(project, Role.EDITOR)
    people = {role: make_member(project, role) for role in Role}
    elsewhere = make_member(make_project(), Role.ADMIN)
    operator = make_member(make_project(), Role.ADMIN, is_superuser=True, is_staff=True)
    switched_off = make_member(project, Role.ADMIN, is_active=False)

    def again(user: User) -> User:
        return User.objects.get(pk=user.pk)  # scopes are written on the object

    actors = {
        "nobody": Actor(None),
        "stranger": Actor(elsewhere),
        "operator": Actor(operator),
        "switched off": Actor(switched_off),
        "owner": Actor(owner, Role.EDITOR),
        **{role.value: Actor(people[role], role) for role in Role},
        **{
            f"{role.value} by a token that may {scope.value}": Actor(
                again(people[role]), role, scope
            )
            for role in Role
            for scope in Scope
        },
        "stranger by a token": Actor(again(elsewhere), None, Scope.ADMIN),
        "operator by a token that may run": Actor(again(operator), None, Scope.RUN),
    }
    rows = {model: make() for model, make in samples(owner, project).items()}
    return World(project, rows, actors)


def expected(actor: Actor, rule: Rule) -> set[int]:  # noqa: PLR0911, C901  one line per way to be refused
    """Return the refusal that an actor must get, or nothing where the door is open."""
    if rule.reach is Reach.PUBLIC:
        return set()
    if actor.user is None:
        return {401}
    if rule.reach is Reach.SITE:
        return {403}
    if rule.reach is Reach.PROJECT:
        if actor.role is None:
            return {404}
        may = allows(lowered(actor.role, actor.scope), rule.permission)
        return set() if may else {403}
    if rule.reach is Reach.OPERATOR:
        may = actor.user.is_superuser and actor.scope in (None, Scope.ADMIN)
        return set() if may else {403}
    if rule.reach is Reach.BROWSER and actor.scope is not None:
        return {403}
    if actor.scope is not None and not allows(actor.scope.role, rule.permission):
        return {403}
    return set()


def ask(actor: Actor, path: str, method: str) -> Any:
    call = getattr(actor.client(), method.lower())
    return call(f"/{API}{path}") if method == "GET" else call(f"/{API}{path}", {})


def filled_in(path: str, rule: Rule, rows: dict[str, str]) -> str:
    """Return the path with the row of the rule, and ids of nothing in the other places."""
    parts = []
    for part in path.split("/"):
        if part.startswith("<"):
            key = part.strip("<>").partition(":")[2]
            nothing = "0" if part.startswith("<int:") else str(uuid4())
            parts.append(rows[rule.model] if key == rule.key else nothing)
        else:
            parts.append(part)
    return "/".join(parts)


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "method"), CASES, ids=[f"{m} {p}" for p, m in CASES])
def test_every_actor_gets_what_the_table_says(world: World, path: str, method: str) -> None:
    rule = rules.REST[path][method]
    assert not rule.model or rule.model in world.rows, f"add a sample of {rule.model}"
    address = filled_in(path, rule, world.rows)
    wrong = {}
    # What is open to all is asked twice, not by everybody: the API's own schema takes seconds.
    few = ("nobody", "stranger") if rule.reach is Reach.PUBLIC else world.actors
    for name, actor in world.actors.items():
        if name not in few:
            continue
        with transaction.atomic():
            answer = ask(actor, address, method)
            transaction.set_rollback(True)
        refused = expected(actor, rule)
        got = answer.status_code
        # Behind an open door a route may still refuse: a second id that names nothing, a body that
        # is empty, a right that depends on it. It never asks to sign in again, and never breaks.
        fine = (
            got in refused if refused else got < 500 and (got != 401 or rule.reach is Reach.PUBLIC)
        )
        if refused == set() and rule.reach is Reach.PROJECT and path.count("<") == 1:
            fine = fine and got not in (403, 404)
        if not fine:
            wrong[name] = (got, refused or "let in")
    assert wrong == {}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "method"),
    [case for case in CASES if rules.REST[case[0]][case[1]].reach is Reach.PROJECT],
)
def test_to_those_outside_a_row_is_no_row(world: World, path: str, method: str) -> None:
    rule = rules.REST[path][method]
    absent = {model: str(uuid4()) for model in world.rows}
    for name in ("stranger", "operator", "switched off", "stranger by a token"):
        actor = world.actors[name]
        there = ask(actor, filled_in(path, rule, world.rows), method)
        nothing = ask(actor, filled_in(path, rule, absent), method)
        assert (there.status_code, there.json()) == (404, nothing.json()), name


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", [p for p, m in CASES if m == "GET" and rules.REST[p][m].reach is Reach.ROWS]
)
def test_lists_hold_nothing_of_a_foreign_project(world: World, path: str) -> None:
    run = world.rows["jobs.Run"]
    query = {"runs": run} if path in ("compare/", "runs/sparklines/") else {}
    for name in ("stranger", "operator", "switched off", "stranger by a token"):
        if name == "operator" and path.startswith("audit/"):
            continue  # who runs the installation reads all of its audit log
        answer = world.actors[name].client().get(f"/{API}{path}", query)
        shown = answer.getvalue().decode()
        for row in world.rows.values():
            assert row not in shown, (name, path)
    assert world.actors["viewer"].client().get(f"/{API}{path}", query).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", [path for path, reach in rules.PAGES.items() if reach is Reach.BROWSER]
)
def test_pages_for_browsers_know_neither_strangers_nor_tokens(world: World, path: str) -> None:
    day = timedelta(days=1)
    owner = world.actors["admin"].user
    assert owner is not None
    with transaction.atomic():
        _, token = create_token(user=owner, name="t", lifetime=day, scope=Scope.ADMIN)
        for headers in ({}, {"Authorization": f"Bearer {token}"}):
            for method in METHODS:
                answer = getattr(Client(headers=headers), method)(
                    f"/{path}", {}, content_type="application/json"
                )
                assert answer.status_code in (401, 405), (path, method)
        transaction.set_rollback(True)


@pytest.mark.django_db
@pytest.mark.parametrize("path", sorted(path for path in ROUTES if path.startswith("admin/")))
def test_the_administration_is_for_operators(world: World, path: str) -> None:
    filled = re.sub(r"<[^>]+>", "1", path).removesuffix("$")
    for name in ("nobody", "stranger", "admin"):
        actor = world.actors[name]
        client = Client()
        with transaction.atomic():
            if actor.user is not None:
                client.force_login(User.objects.get(pk=actor.user.pk))
            answer = client.get(f"/{filled}")
            transaction.set_rollback(True)
        assert answer.status_code in (302, 404), (name, path)


@pytest.mark.django_db
def test_a_route_without_a_rule_is_for_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(rules.REST, "workers/")
    answer = world.actors["admin"].client().get(f"/{API}workers/")
    assert (answer.status_code, answer.json()["code"]) == (403, "no_rule")


@pytest.mark.django_db
def test_changes_that_the_table_names_are_in_the_audit_log(world: World) -> None:
    """Every change that succeeds with an empty body leaves its entry, in the actor's name."""
    seen = []
    for path, method in CASES:
        rule = rules.REST[path][method]
        actor = world.actors["admin"]
        if not rule.is_change or rule.reach is not Reach.PROJECT:
            continue
        before = AuditEntry.objects.count()
        with transaction.atomic():
            answer = ask(actor, filled_in(path, rule, world.rows), method)
            added = AuditEntry.objects.count() - before
            transaction.set_rollback(True)
        if answer.status_code in (200, 201, 204) and method != "PATCH":
            assert added >= 1, (method, path)
            seen.append(path)
    assert len(seen) >= 4


def test_rows_of_a_project_can_be_limited_to_those_who_may_see_them() -> None:
    """Every model with a way to a project has a manager that knows it, or is reached by one."""
    missing = set()
    for label in ("accounts", "jobs", "artifacts"):
        for model in apps.get_app_config(label).get_models():
            columns = [field for field in model._meta.get_fields() if field.concrete]  # noqa: SLF001
            names = {getattr(field.related_model, "__name__", "") for field in columns}
            scoped = hasattr(model, "objects") and hasattr(model.objects, "visible_to")
            if names & {"Project", "Job", "Run"} and not scoped:
                missing.add(model.__name__)
    assert missing <= REACHED, missing - REACHED

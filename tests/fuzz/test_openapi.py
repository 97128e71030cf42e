"""The whole API, as its own schema describes it, asked at random with and without credentials.

Nothing may answer with a server error, with a status or a body that the schema does not name, or
take what the schema forbids. ``make fuzz`` asks many times as much as the suite does.
"""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.cache import cache
from django.core.handlers.wsgi import WSGIRequest
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, Verbosity, settings
from pytest_django import Settings
from rest_framework.test import APIClient
from schemathesis.checks import CHECKS
from schemathesis.core.failures import FailureGroup

from tests.fuzz.stage import SITE_ROUTES, Stage, make_stage
from tests.webapp.site_agents import Agent
from webapp.accounts.models import User
from webapp.accounts.rules import REST, Reach

#: Requests per operation and kind of user; steps of each walk along the links.
EXAMPLES = int(os.environ.get("ROUNDHOUSE_FUZZ_EXAMPLES", "5"))
WALKS = int(os.environ.get("ROUNDHOUSE_FUZZ_WALKS", "20"))
SEED = int(os.environ.get("ROUNDHOUSE_FUZZ_SEED", "0"))
pytestmark = [
    pytest.mark.django_db,
    # The tool reads an answer and does not close it, so a file that was sent stays open a while.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.timeout(3600 if EXAMPLES > 20 else 240),
]

#: What is checked is what the schema says. Left out are rules that it cannot say (a spec whose
#: parts do not go together is refused), and checks of things that have tests of their own.
_LEFT_OUT = {
    "positive_data_acceptance",
    "ignored_auth",
    "object_level_authorization",
    "max_response_time",
}

#: What takes a password, a code or the number of a session, which chance does not find.
_NEEDS_A_SECRET = (
    "/auth/login/",
    "/auth/request/",
    "/auth/sessions/{session_id}/",
    "/invitations/preview/",
    "/invitations/accept/",
    "/site/enrol/",
    "/site/key/",
)
#: The tool reads what a real client would decompress.
PLAIN = {"Accept-Encoding": "identity"}
#: Stands where the signature of a site goes.
TO_BE_SIGNED = "to be signed"
OPEN = {
    path for path, rules in REST.items() if any(r.reach is Reach.PUBLIC for r in rules.values())
}

Seen = dict[str, Counter[tuple[str, int]]]


_SIGNALS = (request_started, request_finished)


@pytest.fixture
def _one_connection() -> Iterator[None]:
    """Keep the test's connection through requests of the real WSGI application."""
    keep_connection()
    yield
    for signal in _SIGNALS:
        signal.connect(close_old_connections)


def keep_connection() -> None:
    for signal in _SIGNALS:
        signal.disconnect(close_old_connections)


@pytest.fixture
def stage(db: None, settings: Settings, tmp_path: Any, _one_connection: None) -> Stage:  # noqa: ARG001
    default = {**settings.STORAGES["default"], "OPTIONS": {"location": str(tmp_path / "files")}}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    stage = make_stage()
    keep_connection()  # Django's test client, which made it, closes connections again
    return stage


@dataclass
class Signing:
    """The application behind a site's agent, which signs what goes to the routes of sites."""

    application: Callable[..., Any]
    agent: Agent

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if environ.get("HTTP_AUTHORIZATION") == TO_BE_SIGNED:
            request = WSGIRequest(environ)
            body, target = request.body, request.get_full_path()
            credential = self.agent.credential(request.method or "", target, body)
            environ |= {
                "HTTP_AUTHORIZATION": credential.to_header(),
                "wsgi.input": BytesIO(body),
            }
        return self.application(environ, start_response)


@pytest.fixture
def schema(stage: Stage) -> Any:
    application = Signing(get_wsgi_application(), stage.on_sites.agent)
    return schemathesis.openapi.from_wsgi("/api/v1/schema/", application)


def checks() -> list[Any]:
    return [check for check in CHECKS.get_all() if check.__name__ not in _LEFT_OUT]


def problems_of(case: Any, response: Any, *, is_as_made: bool = True) -> list[str]:
    """Return what is wrong with an answer; a request that was mended may be taken."""
    asked = [check for check in checks() if is_as_made or "rejection" not in check.__name__]
    try:
        case.validate_response(response, checks=asked)
    except FailureGroup as group:
        return [f"{failure.title}: {failure.message}" for failure in group.exceptions]
    documented = case.operation.definition.raw["responses"]
    if str(response.status_code) not in documented:
        return [f"undocumented status {response.status_code}, documented are {[*documented]}"]
    return []


def deterministic(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=SEED == 0,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )


def runnable(body: Any, choice: int) -> Any:
    """Return a body whose spec trains in half of the cases; chance alone makes too few of them."""
    if isinstance(body, dict) and choice % 2 and {"spec", "sweep", "name"} & {*body}:
        name = f"job {choice}"
        return {k: v for k, v in body.items() if k != "sweep"} | {"spec": {}, "name": name}
    return body


def prepare(case: Any, stage: Stage, choice: int) -> None:
    """Let a request be about something that exists, in half of the cases."""
    if choice % 2 and case.path_parameters:
        found = stage.ids_for(case.operation.path, case.method.lower())
        case.path_parameters.update({k: v for k, v in found.items() if k in case.path_parameters})
    if case.media_type == "application/json":
        case.body = runnable(case.body, choice)


@dataclass(frozen=True)
class Credentials:
    """What a browser sends of a user who is signed in; nothing for nobody."""

    cookies: dict[str, str]
    headers: dict[str, str]

    @classmethod
    def of(cls, user: User) -> Credentials:
        browser = Client()
        browser.force_login(user)
        forgery = "a" * 32
        cookies = {"roundhouse_session": browser.cookies["roundhouse_session"].value}
        return cls(cookies | {"csrftoken": forgery}, {"X-CSRFToken": forgery})

    def headers_for(self, path: str) -> dict[str, str]:
        """Return the headers; what sites ask is signed unless nobody asks."""
        is_signed = path.startswith(SITE_ROUTES) and self.cookies
        signature = {"Authorization": TO_BE_SIGNED} if is_signed else {}
        return {**PLAIN, **self.headers, **signature}


NOBODY = Credentials({}, {})


def ask_all(schema: Any, stage: Stage, who: Credentials) -> tuple[Seen, list[str]]:
    """Ask every operation; return the statuses that were seen, and what is wrong."""
    seen: Seen = defaultdict(Counter)
    wrong: list[str] = []
    for result in schema.get_all_operations():
        operation = result.ok()

        @hypothesis.seed(SEED)
        @deterministic(EXAMPLES)
        @hypothesis.given(case=operation.as_strategy(), choice=hypothesis.strategies.integers(0, 9))
        def ask(case: Any, choice: int) -> None:
            prepare(case, stage, choice)
            case.headers.pop("Authorization", None)
            case.cookies.clear()
            with transaction.atomic():
                headers = who.headers_for(case.operation.path)
                response = case.call(headers=headers, cookies=who.cookies)
                found = problems_of(case, response, is_as_made=choice % 2 == 0)
                # What one request has used up, the next may ask for again.
                transaction.set_rollback(True)
            label = case.operation.label
            seen[label][label, response.status_code] += 1
            wrong.extend(f"{label} -> {problem}\n{case.as_curl_command()}" for problem in found)

        ask()
    return seen, wrong


def succeeds(stage: Stage, label: str) -> bool:
    """Return whether an operation that chance has not brought to an end does what it is for."""
    method, _, path = label.lower().partition(" ")
    if path.startswith(SITE_ROUTES):
        return succeeds_for_a_site(stage, method.upper(), path)
    api, run_id = APIClient(), str(stage.runs["watched"].pk)
    api.force_authenticate(stage.admin)
    body = {"name": "a name", "spec": {}, "is_active": True, "role": "viewer", "query": ""}
    wanted: Any = {"runs": run_id} if method == "get" else body
    address = path.format(**stage.ids_for(path, method))
    with transaction.atomic():
        answer = getattr(api, method)(address, wanted, format=None if method == "get" else "json")
        transaction.set_rollback(True)
    return bool(answer.status_code < 300)


def succeeds_for_a_site(stage: Stage, method: str, path: str) -> bool:
    agent, address = stage.on_sites.agent, path.format(**stage.ids_for(path, method.lower()))
    with transaction.atomic():
        if method == "PUT":
            answer = agent.put(stage.on_sites.train.pk, 0, b"x")
        elif path.endswith("/heartbeat/"):
            answer = agent.beat()
        elif path.endswith("/result/"):
            body = {"seconds": 1, "num_examples": 1, "tally": [1.0]}
            answer = agent.post(address, body)
        else:
            body = {"rule": "no", "code": "no", "message": "no"}
            wanted = ["rule", "message"] if path.endswith("/refuse/") else ["code", "message"]
            content = json.dumps({key: body[key] for key in wanted}).encode()
            answer = agent.ask(method, address, content if method == "POST" else b"")
        transaction.set_rollback(True)
    return bool(answer.status_code < 300)


def report(wrong: list[str]) -> str:
    kinds = Counter(line.partition("\n")[0][:300] for line in wrong)
    return "\n".join(f"{count} x {kind}" for kind, count in kinds.most_common(40)) + (
        f"\n\n{wrong[0][:3000]}" if wrong else ""
    )


def test_with_credentials_every_answer_is_what_the_schema_says(schema: Any, stage: Stage) -> None:
    seen, wrong = ask_all(schema, stage, Credentials.of(stage.admin))
    assert not wrong, report(wrong)
    statuses = {label: {status for _, status in counts} for label, counts in seen.items()}
    never = [
        label
        for label, found in statuses.items()
        if not any(s < 300 for s in found)
        and not label.endswith(_NEEDS_A_SECRET)
        and not succeeds(stage, label)
    ]
    assert never == [], "operations that never succeeded: " + ", ".join(never)


def test_without_credentials_nothing_is_shown(schema: Any, stage: Stage) -> None:
    seen, wrong = ask_all(schema, stage, NOBODY)
    assert not wrong, report(wrong)
    for counts in seen.values():
        for label, status in counts:
            path = label.partition(" ")[2].removeprefix("/api/v1/")
            assert status == 401 or path in OPEN, f"{label} answered {status} to nobody"


def test_what_answers_link_to_is_there(schema: Any, stage: Stage) -> None:
    """Walk along the links of the schema: make, look, change, delete, in any order."""
    wrong: list[str] = []
    walked: Counter[str] = Counter()
    who = Credentials.of(stage.admin)

    @hypothesis.seed(SEED)
    class Walk(schema.as_state_machine()):  # type: ignore[misc]  # made by a function
        def setup(self) -> None:
            """Begin each walk with the same rows: Hypothesis takes a walk again and compares."""
            cache.clear()
            self.rows = transaction.atomic()
            self.rows.__enter__()

        def teardown(self) -> None:
            transaction.set_rollback(True)
            self.rows.__exit__(None, None, None)

        def before_call(self, case: Any) -> None:
            if case.operation.label in ("POST /api/v1/jobs/", "POST /api/v1/views/"):
                case.body = {"name": "walk", "spec": {}, "query": "", "launch": True}
            if case.operation.label == "POST /api/v1/tokens/":
                case.body = {"name": "walk"}
            case.headers.pop("Authorization", None)
            case.headers.update({**PLAIN, **who.headers})
            case.cookies = dict(who.cookies)

        def validate_response(self, response: Any, case: Any, **_: Any) -> None:
            walked[f"{case.operation.label} {response.status_code}"] += 1
            wrong.extend(
                f"{case.operation.label} -> {problem}\n{case.as_curl_command()}"
                for problem in problems_of(case, response, is_as_made=False)
            )

    Walk.run(settings=settings(deterministic(WALKS), stateful_step_count=12))
    assert not wrong, report(wrong)
    made = {key for key in walked if key.endswith(" 201")}
    followed = {key for key in walked if "{" in key and " 20" in key}
    assert made, walked
    assert len(followed) >= 3, walked

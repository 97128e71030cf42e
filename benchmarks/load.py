"""50 people at once sign in, look at lists and submit, while one more asks without end.

Run it with ``python -m benchmarks.load``; it needs PostgreSQL and Redis (see
``tests/services.py``). People and server share the machine. Each person does one thing a second,
whether or not the one before was quick, and signs in anew every twenty. They come one after another
within the first twenty seconds, so that somebody signs in all the time; what is measured comes
after that. The one who asks without end runs into the limit of requests per user, and nobody else.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import perf_counter

import httpx

from benchmarks.document import Section, add_write_option, machine, note, table
from benchmarks.lists import percentile
from benchmarks.priority import get_ahead
from benchmarks.website import website

PASSWORD = "a password of nobody"  # noqa: S105  (of accounts that live for a minute)
#: What a person who works gets through with, and who asks without end does not.
LIMIT = 150
LIMITS = {"ROUNDHOUSE_REQUESTS_PER_MINUTE": str(LIMIT)}
THROTTLED = httpx.codes.TOO_MANY_REQUESTS
ACTIONS_PER_SIGN_IN = 20
#: So many that also a slow server is asked for more than the limit.
GREEDY_AT_ONCE = 10
GREEDY_PAUSE_S = 0.5


@dataclass
class Record:
    """What was asked, and how it was answered; times from when all have come."""

    since: float = 0.0
    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)
    #: What was due and not begun when the time was over.
    undone: int = 0

    async def timed(self, action: str, request: Awaitable[httpx.Response]) -> httpx.Response | None:
        """Wait for an answer, and keep how long it took; None if there was none."""
        began = perf_counter()
        try:
            answer = await request
        except httpx.HTTPError as error:
            self.errors[f"{action}: {type(error).__name__}"] += 1
            return None
        if began >= self.since:
            self.seconds[action].append(perf_counter() - began)
        if not answer.is_success:
            self.errors[f"{action}: {answer.status_code}"] += 1
        return answer


class Person:
    """One browser with one user."""

    def __init__(self, url: str, name: str, record: Record) -> None:
        self._http = httpx.AsyncClient(base_url=f"{url}/api/v1/", timeout=60)
        self._name = name
        self._record = record

    async def sign_in(self) -> None:
        """Sign in as the page does: the token against forgery first."""
        self._http.cookies.clear()
        await self._record.timed("open the page", self._http.get("auth/csrf/"))
        body = {"username": self._name, "password": PASSWORD}
        await self._record.timed("sign in", self._post("auth/login/", body))

    async def list_runs(self) -> None:
        """Look at the list of runs."""
        await self._record.timed("list runs", self._http.get("runs/"))

    async def list_jobs(self) -> None:
        """Look at the list of jobs."""
        await self._record.timed("list jobs", self._http.get("jobs/"))

    async def submit(self) -> None:
        """Submit a job that is launched at once; no worker takes it."""
        body = {"name": "load", "spec": {"rounds": 3}}
        await self._record.timed("submit", self._post("jobs/", body))

    def _post(self, path: str, body: object) -> Awaitable[httpx.Response]:
        token: str = self._http.cookies.get("csrftoken") or ""
        headers = {"X-CSRFToken": token}
        return self._http.post(path, json=body, headers=headers)

    async def work(self, until: float, first: float) -> None:
        """Do one thing a second until the time is over."""
        turns: list[Callable[[], Awaitable[None]]] = [
            self.list_runs,
            self.submit,
            self.list_jobs,
            self.list_runs,
        ]
        due, number = first, 0
        while due < until:
            await asyncio.sleep(max(0.0, due - perf_counter()))
            if perf_counter() >= until:  # who is behind stops when the others do
                self._record.undone += math.ceil(until - due)
                break
            if number % ACTIONS_PER_SIGN_IN == 0:
                await self.sign_in()
            else:
                await turns[number % len(turns)]()
            due, number = due + 1, number + 1
        await self._http.aclose()


async def ask_without_end(url: str, name: str, until: float) -> Counter[int]:
    """Ask one thing after another, some at a time, and return how often each status came."""
    record, found = Record(), Counter[int]()
    person = Person(url, name, record)
    await person.sign_in()

    async def ask_on() -> None:
        while perf_counter() < until:
            answer = await person._http.get("projects/")  # noqa: SLF001
            found[answer.status_code] += 1
            # Refusals are cheap; without a pause they would be all that the server does.
            await asyncio.sleep(GREEDY_PAUSE_S)

    await asyncio.gather(*(ask_on() for _ in range(GREEDY_AT_ONCE)))
    await person._http.aclose()  # noqa: SLF001
    return found


async def load(url: str, people: int, seconds: float) -> tuple[Record, Counter[int]]:
    """Let everybody work at once."""
    now = perf_counter()
    record = Record(since=now + ACTIONS_PER_SIGN_IN)
    until = record.since + seconds
    working = [
        Person(url, f"person-{number}", record).work(
            until, now + number * ACTIONS_PER_SIGN_IN / people
        )
        for number in range(people)
    ]
    asking = asyncio.create_task(ask_without_end(url, "greedy", until))
    await asyncio.gather(*working)
    return record, await asking


def make_people(people: int) -> None:
    """Make the accounts, each with a project of its own."""
    from tests.factories import make_project  # noqa: PLC0415  (Django is set up by now)
    from webapp.accounts.models import Membership, User  # noqa: PLC0415

    for name in (*(f"person-{number}" for number in range(people)), "greedy"):
        user = User.objects.create_user(username=name, password=PASSWORD)
        Membership.objects.create(user=user, project=make_project(name), role="editor")


def main() -> int:
    """Print the table; return 1 for an error, or if the limit did not hold for the greedy alone."""
    parser = argparse.ArgumentParser(description="Measure many people at once.")
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60.0)
    add_write_option(parser)
    arguments = parser.parse_args()
    get_ahead()
    section = Section("load", "python -m benchmarks.load", arguments.write)
    where = machine()
    with website(LIMITS) as site:
        note("load: making accounts")
        make_people(arguments.people)
        note("load: everybody works")
        record, greedy = asyncio.run(load(site.url, arguments.people, arguments.seconds))
    total = sum(map(len, record.seconds.values()))
    section.say(
        f"{arguments.people} people for {arguments.seconds:g} s, one web process, {total} requests"
        f" ({total / arguments.seconds:.0f} a second). {where}",
        "",
    )
    rows = [
        (action, str(len(taken)), *(f"{1000 * percentile(taken, p):.0f}" for p in (50, 99)))
        for action, taken in sorted(record.seconds.items())
    ]
    section.say(*table(("action", "requests", "median, ms", "p99, ms"), rows), "")
    errors = ", ".join(f"{what} {count}" for what, count in record.errors.items()) or "none"
    section.say(
        f"Errors: {errors}. Limit of {LIMIT} requests a minute for each user: the one who asked"
        f" without end was answered {greedy[200]} times and refused {greedy[THROTTLED]} times;"
        f" of the {arguments.people}, nobody was refused. Due and not begun in time:"
        f" {record.undone}.",
    )
    is_held = greedy[THROTTLED] > 0 and set(greedy) <= {200, THROTTLED}
    if record.errors or not is_held:
        return 1
    section.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Real sites as the workers' tests have them: the real client code and the real HTTP answers."""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import torch
from django.utils import timezone

from fedcore.agent.sums import Sums
from fedcore.data.dataset import Dataset, Examples
from fedcore.data.sites import Holding
from fedcore.engine.context import RunContext, context_of, initial_state
from fedcore.engine.site_work import SiteWork
from fedcore.environment import Folders
from fedcore.partition.sites import shares_of_sites
from fedcore.sites import routes
from fedcore.sites.policy import Policy
from fedcore.sites.tasks import RunDescription, Task, TaskKind
from fedcore.spec import RunSpec
from fedcore.state import ClientState, RunState
from tests.fedcore.runs import never, play
from tests.messages import catch_messages
from tests.webapp.site_agents import Agent, approved
from webapp.accounts.models import Project, User
from webapp.jobs.clock import database_now
from webapp.jobs.models import Run, RunEvent
from webapp.sites import services
from webapp.sites.models import SiteRound
from workers.engines import EngineCache
from workers.retry import RetryPolicy
from workers.runs import advance

FIVE = ("north", "south", "east", "west", "centre")
NAMES = FIVE[:3]
#: Of the first three sites, and of two more that some runs have.
SIZES = (40, 25, 31, 28, 36)
TESTED = (10, 7, 8, 6, 9)
FEATURES = 5
COLUMNS = [f"x{n}" for n in range(FEATURES)]

SECTIONS: dict[str, Any] = {
    "seed": 3,
    "rounds": 3,
    "dataset": {
        "kind": "sites",
        "name": "heart",
        "inputs": [{"column": name} for name in COLUMNS],
        "target": {"column": "y", "classes": ["no", "yes"]},
    },
    "partition": {"kind": "sites", "clients": 3},
    "model": {"kind": "mlp", "hidden": [6]},
    "sampling": {"kind": "full"},
    "local": {"epochs": 2, "batch_size": 8, "lr": 0.1},
    "runtime": {
        "placement": "sites",
        "sites": list(NAMES),
        "round_limit_s": 60,
        "min_updates": 2,
        "kernels": "autograd",
    },
}


def examples(sizes: tuple[int, ...]) -> Examples:
    random = torch.Generator().manual_seed(sum(sizes))
    x = torch.randn(sum(sizes), FEATURES, generator=random)
    return Examples(x, (x[:, 0] + x[:, 1] > 0).to(torch.int64))


def holdings(spec: RunSpec) -> tuple[Holding, ...]:
    return tuple(map(Holding, spec.runtime.sites, SIZES, TESTED))


def whole(spec: RunSpec) -> RunContext:
    """Return the run with the examples of all sites in one place."""
    count = spec.partition.clients
    train, test = examples(SIZES[:count]), examples(TESTED[:count])
    dataset = Dataset(train=train, test=test, num_classes=2)
    return context_of(spec, dataset, shares_of_sites(holdings(spec)))


def simulated(spec: RunSpec) -> RunState:
    """Return the state after the same run with the examples of all sites in one place."""
    context = whole(spec)
    state = initial_state(context)
    for _ in range(spec.rounds):
        state, _ = play(context, state)
    return state


@dataclass
class Site:
    """A site with its own examples, which does one task whenever it is told to."""

    agent: Agent
    place: int
    spec: RunSpec
    folder: Path
    kept: ClientState | None = None
    piece_bytes: int = 1 << 20
    policy: Policy = field(default_factory=lambda: Policy.parse("{projects: any}"))
    vector: bytes = b""
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        n, count = self.place, self.spec.partition.clients
        sizes, tested = SIZES[:count], TESTED[:count]
        train, test = examples(sizes), examples(tested)
        own = Dataset(
            train=Examples(train.x.split(sizes)[n], train.y.split(sizes)[n]),
            test=Examples(test.x.split(tested)[n], test.y.split(tested)[n]),
            num_classes=2,
        )
        folder = self.folder / f"sum-{n}"
        self.sums = Sums(lambda _: folder, self.agent.key, self.policy)
        self.work = SiteWork.open(self.spec, own, n, Folders(None, self.folder))

    def look(self) -> bool:
        """Do what the site is asked; return whether there was anything."""
        tasks = self.agent.tasks()
        for task in tasks:
            self.do(task)
        return bool(tasks)

    def do(self, task: dict[str, Any]) -> None:
        task_id = UUID(task["task_id"])
        self.asked.append(task["kind"])
        assert self.agent.post(routes.accept(task_id)).status_code == 200
        message = self.message(task)
        if task["kind"] == "evaluate":
            tested = self.work.test(message, should_stop=never)
            said = {"tally": list(tested.tally), "num_examples": tested.num_examples}
            empty = {"sha256": None, "size_bytes": 0}
            answer = self.agent.finish(task_id, b"", **said, **empty)
        else:
            payload = self.made(task, message)
            self.agent.upload(task_id, payload, self.piece_bytes)
            answer = self.agent.finish(task_id, payload)
        assert answer.status_code == 204, answer.content

    def made(self, task: dict[str, Any], message: bytes) -> bytes:
        """Return what is sent: an update, or what a stage of a secure sum asks for."""
        if task["kind"] == "train":
            return self.trained(task, message)
        asked = Task.model_validate(task)
        run = RunDescription.model_validate(self.agent.get(routes.run(asked.run_id)).json())
        if asked.kind is TaskKind.KEYS:
            self.vector = self.trained(task, message)
            return self.sums.begin(asked, run, self.vector)
        return self.sums.answer(asked, run, message)

    def trained(self, task: dict[str, Any], message: bytes) -> bytes:
        made = self.work.train(
            message,
            round_index=task["round_index"],
            cohort_size=task["cohort_size"],
            kept=self.kept,
            should_stop=never,
        )
        self.kept = made.kept or self.kept
        return made.payload

    def message(self, task: dict[str, Any]) -> bytes:
        answer = self.agent.get(routes.message(UUID(task["task_id"])))
        assert answer.status_code == 200, answer.content
        payload: bytes = answer.getvalue()
        assert hashlib.sha256(payload).hexdigest() == task["message"]["sha256"]
        return payload


def make_sites(
    admin: User, project: Project, folder: Path, sections: dict[str, Any] = SECTIONS
) -> list[Site]:
    spec = RunSpec.parse(sections)
    found = []
    for place, name in enumerate(spec.runtime.sites):
        agent = approved(admin, project, name)
        columns = [{"name": column, "kind": "number"} for column in (*COLUMNS, "y")]
        declared = {"name": "heart", "num_train": SIZES[place], "num_test": TESTED[place]}
        answer = agent.beat(datasets=[{**declared, "columns": columns}])
        assert answer.status_code == 200, answer.content
        found.append(Site(agent, place, spec, folder))
    return found


AT_ONCE = RetryPolicy(max_retries=3, first_pause_s=0.01, longest_pause_s=0.01)


class Server:
    """The workers of a test: they take a turn for every message that was sent."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.messages: deque[UUID] = deque()
        self.engines = EngineCache()
        catch_messages(monkeypatch, self._take)

    def _take(self, name: str, *, args: list[str], queue: str, **_: object) -> None:
        assert (name, queue) == ("runs.advance", "cpu")
        self.messages.append(UUID(args[0]))

    def work(self) -> None:
        while self.messages:
            run_id = self.messages.popleft()
            advance(run_id, queue="cpu", engines=self.engines, retries=AT_ONCE)

    def upkeep(self, after_s: float = 0.0) -> None:
        services.reconcile_sites(now=database_now() + timedelta(seconds=after_s))
        self.work()


def expire(run: Run) -> None:
    """Let the time of the open stage be up."""
    past = timezone.now() - timedelta(seconds=1)
    opened = SiteRound.objects.filter(run=run).latest("round_index")
    began = past - (opened.deadline_at - opened.stage_opened_at)
    SiteRound.objects.filter(pk=opened.pk).update(deadline_at=past, stage_opened_at=began)
    RunEvent.objects.filter(run=run).update(created_at=began - timedelta(seconds=60))


def play_to_the_end(run: Run, server: Server, sites: list[Site], most: int = 50) -> Run:
    for _ in range(most):
        run.refresh_from_db()
        if run.is_final:
            return run
        for site in sites:
            site.look()
        server.work()
    raise AssertionError(f"the run does not end: {run.state}")


def told(run: Run) -> list[tuple[str, str]]:
    events = RunEvent.objects.filter(run=run, kind="site_changed").order_by("seq")
    return [(event.data["site"], event.data["what"]) for event in events]


def reasons(run: Run, what: str) -> list[str]:
    events = RunEvent.objects.filter(run=run, kind="site_changed", data__what=what)
    return [event.data["reason"] for event in events.order_by("seq")]

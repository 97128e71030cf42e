"""A round that got too few updates is tried again with the clients that failed, and no others."""

from __future__ import annotations

from typing import Any

import pytest

from fedcore.clients.work import ClientResult, ClientTask, client_round
from fedcore.engine import Engine
from fedcore.errors import TooFewUpdatesError, WireError
from fedcore.spec import RunSpec
from tests.fedcore.runs import small_spec

ALL = list(range(6))


class Clients:
    """Some of them fail; notes which have trained."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.failing: set[int] = set()
        self.trained: list[int] = []
        monkeypatch.setattr("fedcore.engine.executor.client_round", self._train)

    def _train(self, method: Any, task: ClientTask, *rest: Any) -> ClientResult:
        self.trained.append(task.data.client_id)
        if task.data.client_id in self.failing:
            raise MemoryError("not this time")
        return client_round(method, task, *rest)

    def try_round(self, engine: Engine, failing: set[int]) -> bytes | None:
        """Play a round in which clients fail; return what is kept of it."""
        self.failing, self.trained = failing, []
        with pytest.raises(TooFewUpdatesError):
            engine.run_round()
        return engine.kept_updates()


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Clients:
    return Clients(monkeypatch)


def demanding(**sections: Any) -> RunSpec:
    runtime = {"executor": "sequential", "min_updates": 6}
    return small_spec(**{"sampling": {"kind": "full"}, "runtime": runtime, **sections})


@pytest.mark.parametrize("algorithm", ["fedavg", "scaffold", "ditto"])
def test_only_the_clients_that_failed_train_again(clients: Clients, algorithm: str) -> None:
    spec = demanding(algorithm={"kind": algorithm})
    expected = Engine.create(spec).run_round()
    kept = clients.try_round(Engine.create(spec), {2, 5})
    assert kept is not None

    elsewhere = Engine.create(spec)
    elsewhere.keep(kept)
    kept = clients.try_round(elsewhere, {5})
    assert clients.trained == [2, 5]
    assert kept is not None

    last = Engine.create(spec)
    last.keep(kept)
    clients.failing, clients.trained = set(), []
    report = last.run_round()
    assert clients.trained == [5]
    assert [(c.client_id, c.status) for c in report.clients] == [(c, "ok") for c in ALL]
    assert report.metrics == pytest.approx(dict(expected.metrics), rel=1e-4)
    clients.trained = []
    last.run_round()
    assert clients.trained == ALL, "the next round is an ordinary one"


def test_simulated_clients_that_were_lost_answer_when_they_are_asked_again(
    clients: Clients,
) -> None:
    spec = demanding(system={"dropout": 0.5})
    kept = clients.try_round(Engine.create(spec), set())
    assert kept is not None
    engine = Engine.create(spec)
    engine.keep(kept)
    assert engine.run_round().participants == 6


@pytest.mark.parametrize(
    "sections",
    [{"aggregation": {"kind": "median"}}, {"privacy": {"secure_aggregation": True}}],
    ids=["all updates at once", "secure sum"],
)
def test_what_needs_all_clients_at_once_keeps_nothing(
    clients: Clients, sections: dict[str, Any]
) -> None:
    assert clients.try_round(Engine.create(demanding(**sections)), {2}) is None


def test_updates_of_another_round_are_refused(clients: Clients) -> None:
    spec = demanding()
    kept = clients.try_round(Engine.create(spec), {2})
    assert kept is not None
    engine = Engine.create(spec)
    clients.failing = set()
    engine.run_round()
    with pytest.raises(WireError):
        engine.keep(kept)

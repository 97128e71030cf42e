"""An agent does its part of a run, whatever breaks on the way, and never more than its policy."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from fedcore.agent.approvals import Answer
from fedcore.agent.config import Site
from fedcore.agent.parts import approvals, audit_log
from fedcore.engine import Engine
from fedcore.sites import routes
from fedcore.sites.messages import SiteState
from fedcore.sites.tasks import Refusal, TaskFailure, TaskKind, TaskResult
from fedcore.spec import RunSpec
from tests.sites import pretended
from tests.sites.conftest import holdings_of, join, running, write_site
from tests.sites.pretended import LIMITS, Fault, Member, PretendedServer
from tests.waiting import wait_until as wait

SPEC: dict[str, Any] = {
    "rounds": 3,
    "dataset": {
        "kind": "sites",
        "name": "heart",
        "inputs": [
            {"column": "age", "mean": 54, "std": 9},
            {"column": "pressure", "mean": 130, "std": 17},
        ],
        "target": {"column": "disease", "classes": ["no", "yes"]},
    },
    "model": {"kind": "mlp", "hidden": [40]},
    "sampling": {"kind": "full"},
    "local": {"epochs": 2, "batch_size": 16, "lr": 0.2},
}


def spec_for(members: list[Member], **sections: Any) -> RunSpec:
    runtime = {
        "placement": "sites",
        "sites": [member.name for member in members],
        "round_limit_s": 60,
    }
    partition = {"kind": "sites", "clients": len(members)}
    return RunSpec.parse(SPEC | {"partition": partition, "runtime": runtime} | sections)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return write_site(tmp_path / "north", seed=1)


def wait_until(condition: Callable[[], object]) -> None:
    wait(condition, within_s=15, what="the agent and the server to come so far")


def launched(server: PretendedServer, *sites: Site, **sections: Any) -> Engine:
    members = [join(server, site) for site in sites]
    return server.launch(spec_for(members, **sections), members, holdings_of(list(sites), members))


def events(site: Site) -> list[str]:
    return [entry.event for entry in reversed(audit_log(site).latest(100))]


def test_three_sites_train_a_model_and_no_row_is_sent(
    server: PretendedServer, tmp_path: Path
) -> None:
    sites = [write_site(tmp_path / name, seed=n) for n, name in enumerate("abc")]
    engine = launched(server, *sites)
    sent: list[bytes] = []
    server.faults.append(lambda request: sent.append(request.content))
    with running(server, *sites):
        reports = [server.play(engine) for _ in range(3)]
    assert [report.participants for report in reports] == [3, 3, 3]
    assert reports[-1].metrics["accuracy"] > 0.8
    assert events(sites[0]).count("task done") == 6
    assert audit_log(sites[0]).check() > 6
    everything = b"".join(sent)
    for line in (sites[0].data_dir / "heart.csv").read_text().splitlines()[1:]:
        age, pressure, _ = line.split(",")
        assert age.encode() not in everything
        assert pressure.encode() not in everything


def test_a_heartbeat_says_what_the_site_offers_and_allows(
    server: PretendedServer, site: Site
) -> None:
    member = join(server, site)
    with running(server, site):
        wait_until(lambda: len(member.beats) > 1)
    assert [beat.sequence for beat in member.beats] == list(range(len(member.beats)))
    assert member.beats[-1].state == "stopping"
    first = member.beats[0]
    assert first.datasets[0].num_train == 48
    assert first.policy is not None
    assert first.policy.document == site.policy.model_dump(mode="json")
    assert [rule.sentence for rule in first.policy.rules] == ["Only heart."]


def dropped(method: str, path: str, times: int) -> Fault:
    """Break the connection so many times."""
    left = [times]

    def fault(request: httpx.Request) -> httpx.Response | None:
        if request.method == method and path in request.url.path and left[0]:
            left[0] -= 1
            raise httpx.ReadError("connection lost")
        return None

    return fault


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/runs/"),
        ("POST", "/accept/"),
        ("GET", "/message/"),
        ("GET", "/upload/"),
        ("PUT", "/upload/"),
        ("POST", "/result/"),
    ],
)
def test_a_lost_connection_costs_time_and_nothing_else(
    server: PretendedServer, site: Site, method: str, path: str
) -> None:
    engine = launched(server, site)
    server.faults.append(dropped(method, path, 2))
    with running(server, site):
        report = server.play(engine)
    assert report.participants == 1
    assert events(site).count("task done") == 2


def test_a_download_goes_on_where_it_stopped(server: PretendedServer, site: Site) -> None:
    engine = launched(server, site)

    def cut(request: httpx.Request) -> httpx.Response | None:
        if "/message/" not in request.url.path or "Range" in request.headers:
            return None
        (given,) = server.given.values()
        server.faults.clear()
        return httpx.Response(200, content=given.payload[:100])

    server.faults.append(cut)
    with running(server, site):
        (assignment,) = engine.assignments((0,))
        given = server.give(TaskKind.TRAIN, 0, engine, assignment.payload)
        server.ended([given])
    assert isinstance(given.ending, TaskResult)
    asked = [each for each in server.asked if "/message/" in each]
    assert len(asked) == 2


def test_an_upload_goes_on_where_it_stopped(server: PretendedServer, site: Site) -> None:
    engine = launched(server, site)
    seen: list[str] = []

    def lose_the_answer(request: httpx.Request) -> httpx.Response | None:
        if request.method != "PUT":
            return None
        seen.append(request.url.query.decode())
        if len(seen) == 2:  # it arrives, and the site does not hear of it
            (given,) = server.given.values()
            given.received += request.content
            raise httpx.ReadError("connection lost")
        return None

    server.faults.append(lose_the_answer)
    with running(server, site):
        (assignment,) = engine.assignments((0,))
        given = server.give(TaskKind.TRAIN, 0, engine, assignment.payload)
        server.ended([given])
    assert len(given.received) == given.ending.size_bytes  # type: ignore[union-attr]
    assert len(seen) == len(set(seen))


def test_a_result_of_one_piece_is_sent_without_asking_first(
    server: PretendedServer, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretended, "LIMITS", LIMITS.model_copy(update={"max_chunk_bytes": 10**6}))
    engine = launched(server, site)
    server.faults.append(dropped("PUT", "/upload/", 1))
    with running(server, site):
        (assignment,) = engine.assignments((0,))
        given = server.give(TaskKind.TRAIN, 0, engine, assignment.payload)
        server.ended([given])
    about_it = [each.split()[0] for each in server.asked if "/upload/" in each]
    assert about_it == ["PUT", "PUT"]
    assert len(given.received) == given.ending.size_bytes  # type: ignore[union-attr]


def test_an_agent_that_was_killed_after_training_only_sends(
    server: PretendedServer, site: Site
) -> None:
    engine = launched(server, site)
    (assignment,) = engine.assignments((0,))
    down = dropped("PUT", "/upload/", 10**6)
    server.faults.append(down)
    given = server.give(TaskKind.TRAIN, 0, engine, assignment.payload)
    with running(server, site):
        wait_until(lambda: any("PUT" in each for each in server.asked))
    assert given.ending is None
    server.faults.remove(down)
    before = len(server.asked)
    with running(server, site):
        server.ended([given])
    later = [each for each in server.asked[before:] if str(given.task.task_id) in each]
    assert not [each for each in later if "/message/" in each or "/accept/" in each]
    assert isinstance(given.ending, TaskResult)


def test_a_clock_that_is_an_hour_off_is_corrected(server: PretendedServer, site: Site) -> None:
    engine = launched(server, site)
    server.clock_ahead_s = -3600.0
    with running(server, site):
        assert server.play(engine).participants == 1


def test_a_policy_refuses_once_and_in_the_same_words_on_both_sides(
    server: PretendedServer, tmp_path: Path
) -> None:
    site = write_site(
        tmp_path / "a", seed=1, policy="{projects: any, approval: automatic, max_work: {rounds: 2}}"
    )
    engine = launched(server, site)
    (assignment,) = engine.assignments((0,))
    with running(server, site):
        (given,) = server.ended([server.give(TaskKind.TRAIN, 0, engine, assignment.payload)])
    assert isinstance(given.ending, Refusal)
    assert (given.ending.rule, given.ending.is_final) == ("max_work.rounds", True)
    sentence = f"{given.ending.rule}: {given.ending.message} {given.ending.fix}"
    (entry,) = [entry for entry in audit_log(site).latest(9) if entry.event == "task refused"]
    assert entry.facts["sentence"] == sentence
    assert not given.is_accepted


def test_a_model_that_is_too_large_is_refused_once_it_is_made(
    server: PretendedServer, tmp_path: Path
) -> None:
    policy = "{projects: any, approval: automatic, max_work: {model_parameters: 100}}"
    site = write_site(tmp_path / "a", seed=1, policy=policy)
    engine = launched(server, site)
    (assignment,) = engine.assignments((0,))
    with running(server, site):
        (given,) = server.ended([server.give(TaskKind.TRAIN, 0, engine, assignment.payload)])
    assert isinstance(given.ending, Refusal)
    assert given.ending.rule == "max_work.model_parameters"
    assert "202 trainable parameters" in given.ending.message


def test_training_beyond_the_limit_of_time_is_stopped_and_refused(
    server: PretendedServer, tmp_path: Path
) -> None:
    policy = "{projects: any, approval: automatic, max_work: {round_seconds: 0.05}}"
    site = write_site(tmp_path / "a", seed=1, policy=policy)
    engine = launched(server, site, local={"epochs": 10_000, "batch_size": 1, "lr": 0.01})
    (assignment,) = engine.assignments((0,))
    with running(server, site):
        (given,) = server.ended([server.give(TaskKind.TRAIN, 0, engine, assignment.payload)])
    assert isinstance(given.ending, Refusal)
    assert given.ending.rule == "max_work.round_seconds"


def test_a_run_waits_until_a_person_has_approved_it(
    server: PretendedServer, tmp_path: Path
) -> None:
    site = write_site(tmp_path / "a", seed=1, policy="{projects: any, approval: manual}")
    engine = launched(server, site)
    (assignment,) = engine.assignments((0,))
    given = server.give(TaskKind.TRAIN, 0, engine, assignment.payload)
    member = server.members[given.site_id]
    with running(server, site) as (agent,):
        wait_until(lambda: any(beat.waiting_for_approval for beat in member.beats))
        assert not given.is_accepted
        (waiting,) = agent.board.read().waiting
        assert "fedavg with mlp, 3 rounds among 1 sites; the server sees each" in waiting.summary
        approvals(site).set(server.run_id, Answer.APPROVED, "test")
        server.ended([given])
        assert server.play(engine).participants == 1
    assert isinstance(given.ending, TaskResult)
    assert events(site).count("run waits for approval") == 1
    assert "run approved" in events(site)


def test_a_run_that_a_person_has_turned_down_is_refused(
    server: PretendedServer, tmp_path: Path
) -> None:
    site = write_site(tmp_path / "a", seed=1, policy="{projects: any, approval: manual}")
    engine = launched(server, site)
    approvals(site).set(server.run_id, Answer.DENIED, "test")
    (assignment,) = engine.assignments((0,))
    with running(server, site):
        (given,) = server.ended([server.give(TaskKind.TRAIN, 0, engine, assignment.payload)])
    assert isinstance(given.ending, Refusal)
    assert given.ending.rule == "approval"


def test_data_that_cannot_be_read_are_reported_without_their_rows(
    server: PretendedServer, site: Site
) -> None:
    engine = launched(server, site)
    (assignment,) = engine.assignments((0,))
    (site.data_dir / "heart.csv").write_text("age,pressure,disease\nErika Muster,1,2,3,4\n")
    member = next(iter(server.members.values()))
    with running(server, site):
        (given,) = server.ended([server.give(TaskKind.TRAIN, 0, engine, assignment.payload)])
        wait_until(lambda: any(beat.problems for beat in member.beats))
    assert isinstance(given.ending, TaskFailure)
    assert given.ending.code == "dataset_unreadable"
    said = given.ending.message + json.dumps([beat.problems for beat in member.beats])
    assert "Muster" not in said


def test_a_column_that_is_missing_is_named(server: PretendedServer, site: Site) -> None:
    dataset = SPEC["dataset"] | {"inputs": [{"column": "weight"}]}
    engine = launched(server, site, dataset=dataset)
    (assignment,) = engine.assignments((0,))
    with running(server, site):
        (given,) = server.ended([server.give(TaskKind.TRAIN, 0, engine, assignment.payload)])
    assert isinstance(given.ending, TaskFailure)
    assert "has no column 'weight'" in given.ending.message


def test_a_message_of_another_form_is_refused(server: PretendedServer, site: Site) -> None:
    engine = launched(server, site)
    (assignment,) = engine.assignments((0,))
    with running(server, site):
        for payload in (b"", b"\x80\x04pickle", assignment.payload[:-8], bytes(5000)):
            (given,) = server.ended([server.give(TaskKind.TRAIN, 0, engine, payload)])
            assert isinstance(given.ending, TaskFailure), given.ending
            assert given.ending.code == "message_invalid"
        assert server.play(engine).participants == 1


def test_a_spec_that_was_changed_after_the_digest_is_refused(
    server: PretendedServer, site: Site
) -> None:
    engine = launched(server, site)
    (assignment,) = engine.assignments((0,))
    assert server.described is not None
    other = server.described.spec | {"rounds": 9999}
    server.described = server.described.model_copy(update={"spec": other})
    with running(server, site):
        (given,) = server.ended([server.give(TaskKind.TRAIN, 0, engine, assignment.payload)])
    assert isinstance(given.ending, Refusal)
    assert given.ending.rule == "spec"


def test_a_revoked_site_stops_for_good(server: PretendedServer, site: Site) -> None:
    member = join(server, site)
    with running(server, site) as (agent,):
        wait_until(lambda: bool(member.beats))
        member.state = SiteState.REVOKED
        wait_until(lambda: agent.board.read().state is SiteState.REVOKED)
        asked = len(server.asked)
    assert len(server.asked) <= asked + 1
    assert "site revoked" in events(site)


def test_a_site_that_is_not_approved_waits(server: PretendedServer, site: Site) -> None:
    engine = launched(server, site)
    member = next(iter(server.members.values()))
    member.state = SiteState.PENDING
    with running(server, site) as (agent,):
        wait_until(lambda: agent.board.read().state is SiteState.PENDING)
        member.state = SiteState.APPROVED
        assert server.play(engine).participants == 1


def test_a_task_that_is_no_longer_wanted_is_dropped_in_the_middle(
    server: PretendedServer, site: Site
) -> None:
    engine = launched(server, site, local={"epochs": 10_000, "batch_size": 1, "lr": 0.01})
    (assignment,) = engine.assignments((0,))
    given = server.give(TaskKind.TRAIN, 0, engine, assignment.payload)
    with running(server, site) as (agent,):
        wait_until(lambda: any(each.stage == "training" for each in agent.board.read().doing))
        given.ending = TaskFailure(code="deadline", message="too late")
        wait_until(lambda: not agent.board.read().doing)
        wait_until(lambda: "task dropped" in events(site))
    assert routes.result(given.task.task_id) not in " ".join(server.asked)

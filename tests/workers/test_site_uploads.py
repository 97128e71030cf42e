"""What goes between a site and the server in a round: in pieces, checked, and of nobody else."""

from __future__ import annotations

from uuid import UUID

import pytest

from fedcore.sites import routes
from tests.webapp.site_agents import approved
from tests.workers.sites_in_process import NAMES, Server, Site, play_to_the_end
from webapp.accounts.models import Project, User
from webapp.jobs.models import Run
from webapp.jobs.states import RunState
from webapp.sites.models import SiteTask


def test_updates_come_in_pieces_and_in_their_order(
    run: Run, server: Server, sites: list[Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.sites.services.uploads.SMALLEST_PIECE", 10)
    for site in sites:
        site.piece_bytes = 100
    agent = sites[0].agent
    (task,) = agent.tasks()
    task_id = UUID(task["task_id"])
    assert agent.put(task_id, 0, b"x" * 50).json()["code"] == "task_not_wanted"
    agent.post(routes.accept(task_id))
    assert agent.put(task_id, 0, b"x" * 50).json() == {"received_bytes": 50}
    again = agent.put(task_id, 0, b"x" * 50)
    assert (again.status_code, again.json()["code"]) == (409, "wrong_offset")
    assert agent.get(routes.upload(task_id)).json() == {"received_bytes": 50}
    assert agent.put(task_id, 50, b"x").status_code == 422, "a piece is no single byte"
    assert agent.put(task_id, 50, b"x" * (1 << 16)).status_code == 422, "longer than any update"
    wrong = agent.finish(task_id, b"x" * 49 + b"y")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "checksum_differs")
    assert agent.get(routes.upload(task_id)).json() == {"received_bytes": 0}
    assert play_to_the_end(run, server, sites).state == RunState.SUCCEEDED


def test_a_message_is_fetched_from_where_it_broke_off(run: Run, sites: list[Site]) -> None:
    agent = sites[0].agent
    (task,) = agent.tasks()
    target = routes.message(UUID(task["task_id"]))
    whole = agent.get(target)
    assert whole.headers["Accept-Ranges"] == "bytes"
    rest = agent.get(target, Range="bytes=100-")
    assert rest.status_code == 206
    assert rest.getvalue() == whole.getvalue()[100:]
    assert agent.get(target, Range="bytes=99999999-").status_code == 416


def test_a_site_reads_only_what_is_its_own(
    run: Run, sites: list[Site], admin: User, project: Project
) -> None:
    (task,) = sites[0].agent.tasks()
    task_id, other = UUID(task["task_id"]), sites[1].agent
    for answer in (
        other.get(routes.message(task_id)),
        other.post(routes.accept(task_id)),
        other.put(task_id, 0, b"x" * 100),
        other.finish(task_id, b""),
    ):
        assert answer.status_code == 404
    described = other.get(routes.run(run.pk)).json()
    assert [member["name"] for member in described["members"]] == list(NAMES)
    assert described["spec_digest"] == task["spec_digest"] == run.digest
    stranger = approved(admin, project, "elsewhere")
    assert stranger.get(routes.run(run.pk)).status_code == 404


def test_poison_is_refused_by_the_gate_and_the_others_count(
    run: Run, server: Server, sites: list[Site]
) -> None:
    (task,) = sites[0].agent.tasks()
    task_id, size = UUID(task["task_id"]), task["max_result_bytes"]
    sites[0].agent.post(routes.accept(task_id))
    for payload in (b"\x80\x04" + b"x" * (size - 2),):
        sites[0].agent.upload(task_id, payload)
        assert sites[0].agent.finish(task_id, payload).status_code == 204
    run = play_to_the_end(run, server, sites)
    first = run.rounds.get(round_index=0).clients[0]
    assert (first["status"], first["reason"].startswith("damaged")) == ("refused", True)
    assert run.state == RunState.SUCCEEDED


def test_saying_twice_that_a_task_is_done_changes_nothing(
    run: Run, server: Server, sites: list[Site]
) -> None:
    agent = sites[0].agent
    (task,) = agent.tasks()
    task_id = UUID(task["task_id"])
    agent.post(routes.accept(task_id))
    payload = sites[0].trained(task, sites[0].message(task))
    agent.upload(task_id, payload)
    assert agent.finish(task_id, payload).status_code == 204
    assert agent.finish(task_id, payload).status_code == 204
    other = agent.finish(task_id, payload + b"x")
    assert other.status_code == 409
    assert SiteTask.objects.filter(run=run, client_id=0, state="done").count() == 1

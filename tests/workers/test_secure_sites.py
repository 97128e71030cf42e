"""Secure sums of real sites, with the real engine, the site's own code and the server's answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import torch
from django.core import serializers
from django.core.files.storage import default_storage
from django.utils import timezone

from fedcore.aggregators import Accumulator
from fedcore.engine.context import initial_state
from fedcore.privacy.sealing import BOUND, section_of
from fedcore.secagg.ring import Ring, Words
from fedcore.sites import routes
from fedcore.sites.tasks import TaskKind
from tests.factories import make_run
from tests.workers.sites_in_process import (
    FIVE,
    SECTIONS,
    Server,
    Site,
    expire,
    make_sites,
    play_to_the_end,
    reasons,
    simulated,
    told,
    whole,
)
from webapp.accounts.models import Project, User
from webapp.artifacts.models import Artifact
from webapp.jobs import services as job_services
from webapp.jobs.models import Run, RunEvent
from webapp.jobs.states import RunState
from webapp.sites.models import RunSite, SiteRound, SiteTask
from webapp.sites.models import Site as SiteRow
from workers.secure_rounds import STAGE_LIMIT_S

SECURE: dict[str, Any] = {
    **SECTIONS,
    "rounds": 1,
    "partition": {"kind": "sites", "clients": 5},
    "runtime": {**SECTIONS["runtime"], "sites": list(FIVE), "min_updates": 4, "round_limit_s": 900},
    "privacy": {"secure_aggregation": True},
}
STAGES = ["secure_keys", "secure_shares", "secure_masked", "secure_confirm", "secure_unmask"]


@pytest.fixture
def sites(admin: User, project: Project, tmp_path: Path) -> list[Site]:
    return make_sites(admin, project, tmp_path, SECURE)


@pytest.fixture
def run(server: Server, sites: list[Site], admin: User, project: Project) -> Run:
    assert len(sites) == 5
    made = make_run(admin, project, **SECURE)
    server.work()
    return made


def stage_of(run: Run) -> TaskKind:
    return TaskKind(SiteRound.objects.get(run=run, round_index=run.rounds_done).stage)


def play_until(run: Run, server: Server, sites: list[Site], kind: TaskKind) -> None:
    """Let sites do their part until a stage is open."""
    for _ in range(10):
        if stage_of(run) is kind:
            return
        for site in sites:
            site.look()
        server.work()
    raise AssertionError(stage_of(run))


def close_without(run: Run, server: Server, sites: list[Site], *lost: int) -> None:
    """Let all but some sites answer the open stage, and its time be up."""
    for site in sites:
        if site.place not in lost:
            site.look()
    expire(run)
    server.upkeep()
    run.refresh_from_db()


def added(sites: list[Site], *lost: int) -> Words:
    vectors = [np.frombuffer(s.vector, "<u4") for s in sites if s.place not in lost]
    total: Words = np.stack(vectors).sum(axis=0, dtype=np.uint32)
    return total


def after_first_round(sites: list[Site], words: Words, count: int) -> torch.Tensor:
    """Return the model that a sum of words makes of the first one."""
    context = whole(sites[0].spec)
    state = initial_state(context)
    accumulator = Accumulator(section_of(words), float(count), count)
    mean, state = context.pipeline.promises.release(accumulator, state, context.layout)
    return context.method.finish(mean, state).model.flat


def model_to_test(sites: list[Site]) -> bytes:
    """Return the message with the model that a site is asked to test."""
    (task,) = sites[0].agent.tasks()
    assert task["kind"] == "evaluate"
    return sites[0].message(task)


def stored() -> bytes:
    """Return all that the server has stored just now: every file and every row."""
    rows = [
        serializers.serialize("json", model.objects.all()).encode()
        for model in (Run, RunEvent, RunSite, SiteRound, SiteTask)
    ]
    return b"".join([*rows, *files("")])


def files(folder: str) -> Iterator[bytes]:
    folders, names = default_storage.listdir(folder)
    for name in names:
        with default_storage.open(f"{folder}/{name}".lstrip("/")) as file:
            yield file.read()
    for each in folders:
        yield from files(f"{folder}/{each}".lstrip("/"))


def test_secure_sums_come_to_what_their_simulation_does(
    run: Run, server: Server, sites: list[Site]
) -> None:
    run = play_to_the_end(run, server, sites)
    assert run.state == RunState.SUCCEEDED, run.failure
    expected = simulated(sites[0].spec)
    last = run.rounds.get(round_index=0)
    assert last.metrics == pytest.approx(dict(expected.metrics), abs=1e-12)
    assert sites[0].asked == [*STAGES, "evaluate"]
    asked = SiteTask.objects.filter(run=run, client_id=0).order_by("opened_at")
    limits = [(t.deadline_at - t.opened_at).total_seconds() for t in asked]
    assert limits == [900, *[STAGE_LIMIT_S] * 4, 900], "what takes no computing is short"
    assert [(c["status"], c["loss"]) for c in last.clients] == [("ok", None)] * 5
    assert run.bytes_up == sum(t.size_bytes for t in SiteTask.objects.filter(run=run))
    assert Artifact.objects.filter(run=run, kind="model").exists()
    assert not default_storage.listdir(f"runs/{run.pk}/parts")[1], "all messages are removed"


@pytest.mark.parametrize("stage", ["secure_shares", "secure_masked"])
def test_a_site_that_is_lost_before_masking_is_not_in_the_sum(
    run: Run, server: Server, sites: list[Site], stage: str
) -> None:
    play_until(run, server, sites, TaskKind(stage))
    close_without(run, server, sites, 2)
    others = [site for site in sites if site.place != 2]
    play_until(run, server, others, TaskKind.EVALUATE)
    expected = after_first_round(sites, added(sites, 2), 4)
    assert expected.numpy().tobytes() in model_to_test(sites)
    run = play_to_the_end(run, server, sites)
    first = run.rounds.get(round_index=0)
    assert [c["status"] for c in first.clients] == ["ok", "ok", "late", "ok", "ok"]
    assert first.clients[2]["reason"].startswith("site east: Nothing came within 120 s")


@pytest.mark.parametrize("stage", ["secure_confirm", "secure_unmask"])
def test_a_site_that_is_lost_after_masking_is_in_the_sum(
    run: Run, server: Server, sites: list[Site], stage: str
) -> None:
    play_until(run, server, sites, TaskKind(stage))
    close_without(run, server, sites, 2)
    others = [site for site in sites if site.place != 2]
    play_until(run, server, others, TaskKind.EVALUATE)
    expected = after_first_round(sites, added(sites), 5)
    assert expected.numpy().tobytes() in model_to_test(sites)
    run = play_to_the_end(run, server, sites)
    assert run.rounds.get(round_index=0).participants == 5
    assert ("east", "late") in told(run)


def test_a_site_that_went_offline_does_not_hold_up_the_stages_of_a_sum(
    run: Run, server: Server, sites: list[Site]
) -> None:
    play_until(run, server, sites, TaskKind.CONFIRM)
    for site in sites[:3]:
        site.look()
    rows = SiteRow.objects.filter(pk__in=[site.agent.site_id for site in sites[3:]])
    rows.update(last_seen_at=timezone.now() - timedelta(hours=1))
    server.upkeep()
    assert stage_of(run) is TaskKind.CONFIRM, "three of five are too few to go on"
    sites[3].agent.beat(datasets=[])
    sites[3].look()
    server.upkeep()
    assert stage_of(run) is TaskKind.UNMASK
    assert reasons(run, "late") == ["It went offline, and enough others have answered."]
    play_until(run, server, sites[:4], TaskKind.EVALUATE)
    expected = after_first_round(sites, added(sites), 5)
    assert expected.numpy().tobytes() in model_to_test(sites)


def test_nothing_that_the_server_stores_at_any_stage_holds_an_update(
    run: Run, server: Server, sites: list[Site]
) -> None:
    kept: list[bytes] = []
    for stage in (*STAGES, "evaluate"):
        play_until(run, server, sites, TaskKind(stage))
        for site in sites[:-1]:
            site.look()
        kept.append(stored())
    everything = b"".join(kept)
    start = initial_state(whole(sites[0].spec)).model.flat.numpy().tobytes()
    assert start in everything, "what is there would be found"
    assert after_first_round(sites, added(sites), 5).numpy().tobytes() in everything
    scale = Ring(BOUND, 5).scale
    for site in sites:
        words = np.frombuffer(site.vector, "<u4")
        numbers = (words.view("<i4") / scale).astype("<f4")
        for found in (words, numbers, numbers * 5, start_and(numbers, start)):
            pieces = (found[n : n + 3] for n in range(0, len(found) - 3, 3))
            telling = [piece.tobytes() for piece in pieces if piece.all()]
            assert len(telling) > 5
            assert not any(piece in everything for piece in telling)


def start_and(change: Any, start: bytes) -> Any:
    """Return the model that one site's change alone would make."""
    model = np.frombuffer(start, "<f4")
    return model + change[: len(model)]


def test_masked_vectors_are_removed_when_they_are_added_up(
    run: Run, server: Server, sites: list[Site]
) -> None:
    play_until(run, server, sites, TaskKind.MASKED)
    for site in sites:
        site.look()
    sent = [each for each in files(f"runs/{run.pk}/parts") if len(each) == len(sites[0].vector)]
    assert len(sent) == 5
    server.work()
    left = [each for each in files(f"runs/{run.pk}/parts") if len(each) == len(sites[0].vector)]
    total = np.stack([np.frombuffer(each, "<u4") for each in sent]).sum(axis=0, dtype=np.uint32)
    assert left == [total.tobytes()]
    assert not np.array_equal(total, added(sites)), "it is still under the sites' own masks"


def test_below_the_threshold_the_round_fails_and_says_who_is_missing(
    run: Run, server: Server, sites: list[Site]
) -> None:
    play_until(run, server, sites, TaskKind.MASKED)
    close_without(run, server, sites, 1, 3)
    assert run.state == RunState.FAILED
    assert run.failure is not None
    assert run.failure["code"] == "too_few_updates"
    message = run.failure["message"]
    assert "no secure sum: 3 of at least 4 clients have sent their vectors" in message
    assert "site south: Nothing came" in message
    assert "site west: Nothing came" in message
    assert "site north" not in message
    server.upkeep()
    assert not default_storage.listdir(f"runs/{run.pk}/parts")[1]
    (asked,) = SiteTask.objects.filter(run=run, client_id=1, kind="secure_masked")
    gone = sites[1].agent.get(routes.message(asked.pk))
    assert (gone.status_code, gone.json()["code"]) == (409, "task_not_wanted")
    job_services.request_retry(run=run, user=run.created_by)
    server.work()
    assert play_to_the_end(run, server, sites).state == RunState.SUCCEEDED
    numbers = SiteTask.objects.filter(run=run, kind="secure_keys").values_list("sum_number")
    assert {number for (number,) in numbers} == {1, 2}, "no sum is made twice"


def test_nothing_of_a_sum_is_left_when_its_run_is_cancelled(
    run: Run, server: Server, sites: list[Site]
) -> None:
    play_until(run, server, sites, TaskKind.MASKED)
    sites[0].look()
    assert default_storage.listdir(f"runs/{run.pk}/parts")[1]
    job_services.request_cancel(run=run, user=run.created_by)
    server.upkeep()
    assert not default_storage.listdir(f"runs/{run.pk}/parts")[1]


def test_a_site_that_refuses_to_open_a_sum_is_shown_with_its_rule(
    run: Run, server: Server, sites: list[Site]
) -> None:
    play_until(run, server, sites, TaskKind.UNMASK)
    (task,) = sites[4].agent.tasks()
    said = {"rule": "min_cohort", "message": "The sum is of 4 updates.", "is_final": False}
    assert sites[4].agent.post(routes.refuse(UUID(task["task_id"])), said).status_code == 204
    run = play_to_the_end(run, server, sites)
    assert run.state == RunState.SUCCEEDED, run.failure
    assert reasons(run, "refused") == ["Rule min_cohort: The sum is of 4 updates."]
    assert run.rounds.get(round_index=0).participants == 5


def test_keys_that_a_site_has_not_signed_are_left_out(
    run: Run, server: Server, sites: list[Site]
) -> None:
    for site in sites[:4]:
        site.look()
    forger = sites[4]
    (task,) = forger.agent.tasks()
    assert forger.agent.post(routes.accept(UUID(task["task_id"]))).status_code == 200
    payload = forger.made(task, forger.message(task))
    at = payload.index(b'"signature":"') + 13
    flipped = bytes([payload[at] ^ 1])
    forged = payload[:at] + (b"0" if flipped not in b"0123456789abcdef" else flipped)
    forged += payload[at + 1 :]
    forger.agent.upload(UUID(task["task_id"]), forged)
    assert forger.agent.finish(UUID(task["task_id"]), forged).status_code == 204
    server.work()
    others = sites[:4]
    play_until(run, server, others, TaskKind.EVALUATE)
    expected = after_first_round(sites, added(sites, 4), 4)
    assert expected.numpy().tobytes() in model_to_test(sites)
    run = play_to_the_end(run, server, sites)
    last = run.rounds.get(round_index=0).clients[4]
    assert last["status"] == "refused"
    assert "has not signed its keys with the key that it had when the run began" in last["reason"]


def test_sites_know_each_other_by_the_keys_that_the_run_began_with(
    run: Run, sites: list[Site]
) -> None:
    before = sites[1].agent.row.public_key
    SiteRow.objects.filter(pk=sites[1].agent.site_id).update(public_key="ab" * 32)
    described = sites[0].agent.get(routes.run(run.pk)).json()
    assert described["members"][1]["public_key"] == before

"""Parts of a round in the database: claimed once, kept by a lease, done once, repaired."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import begin, make_run, report
from tests.webapp.simultaneous import at_once
from webapp.accounts.models import Project, User
from webapp.artifacts.services import StoredFile
from webapp.jobs import services
from webapp.jobs.chunk_models import Chunk, ChunkState
from webapp.jobs.failures import Failure
from webapp.jobs.models import Run
from webapp.jobs.services import ChunkLease, Lease, LeaseLostError, Part
from webapp.jobs.states import RunState

T = TypeVar("T")

SHARED: dict[str, Any] = {"runtime": {"placement": "workers", "min_updates": 2}}
PARTS = (Part(0, 4, 4), Part(4, 8, 4), Part(8, 12, 4))
LATER = timedelta(seconds=settings.LEASE_S + 1)


@pytest.fixture
def shared(editor: User, project: Project) -> Run:
    return opened(make_run(editor, project, **SHARED))


def opened(run: Run) -> Run:
    services.open_round(lease=begin(run), parts=PARTS)
    run.refresh_from_db()
    return run


def chunks(run: Run) -> list[Chunk]:
    return list(Chunk.objects.filter(run=run).order_by("index", "attempt"))


def claim(
    chunk: Chunk, holder: str = "a:1", now: datetime | None = None, **given: Any
) -> ChunkLease:
    lease = services.claim_chunk(chunk_id=chunk.pk, holder=holder, queue="cpu", now=now, **given)
    assert lease is not None
    return lease


def stored(name: str = "part") -> StoredFile:
    return StoredFile(key=f"runs/x/parts/{name}", name=name, size_bytes=1, sha256="0" * 64)


def done(lease: ChunkLease, seconds: float = 1.0) -> Lease | None:
    """Record a part; return its run if it was the last one."""
    file = stored(str(lease.chunk_id))
    return services.record_part(lease=lease, stored=file, num_updates=4, seconds=seconds)


def test_whoever_brings_the_last_part_has_the_run(shared: Run) -> None:
    leases = [claim(chunk, holder=f"{chunk.index}:1") for chunk in chunks(shared)]
    assert [bool(done(lease)) for lease in reversed(leases)] == [False, False, True]
    shared.refresh_from_db()
    assert (shared.parts_out, shared.lease_holder) == (False, "0:1")
    assert services.acquire_lease(run_id=shared.pk, holder="late:1") is None


def test_a_part_is_claimed_once(shared: Run) -> None:
    first, *others = chunks(shared)
    for chunk in [first, *others]:
        claim(chunk)
    assert services.claim_chunk(chunk_id=first.pk, holder="b:1", queue="cpu") is None


@pytest.mark.django_db(transaction=True)
def test_of_many_claims_at_once_each_part_has_one(editor: User, project: Project) -> None:
    run = opened(make_run(editor, project, **SHARED))
    first = chunks(run)[0]
    found = at_once(
        *(
            lambda n=n: services.claim_chunk(chunk_id=first.pk, holder=f"w:{n}", queue="cpu")
            for n in range(6)
        )
    )
    taken = [lease.chunk_id for lease in found if lease is not None]
    assert len(taken) == len(set(taken)) <= len(PARTS)
    assert first.pk in taken


@pytest.mark.django_db(transaction=True)
def test_of_parts_that_arrive_at_once_exactly_one_is_the_last(
    editor: User, project: Project
) -> None:
    run = opened(make_run(editor, project, **SHARED))
    leases = [claim(chunk) for chunk in chunks(run)]
    told = at_once(*(lambda lease=lease: done(lease) for lease in leases))
    assert sorted(map(bool, told)) == [False, False, True]


def test_a_message_of_another_queue_claims_nothing(shared: Run) -> None:
    first = chunks(shared)[0]
    assert services.claim_chunk(chunk_id=first.pk, holder="g:1", queue="gpu") is None


def test_a_worker_prefers_the_run_that_it_has_in_memory(
    shared: Run, editor: User, project: Project
) -> None:
    cold = chunks(opened(make_run(editor, project, **SHARED)))[0]
    lease = claim(cold, warm=[shared.pk])
    assert lease.run_id == shared.pk
    assert claim(cold, warm=[]).chunk_id == cold.pk


def test_a_part_does_not_wait_for_ever_for_a_worker_that_knows_its_run(
    shared: Run, editor: User, project: Project
) -> None:
    cold = chunks(opened(make_run(editor, project, **SHARED)))[0]
    later = timezone.now() + timedelta(seconds=5)
    assert claim(cold, warm=[shared.pk], now=later).chunk_id == cold.pk


def test_the_first_of_two_attempts_counts(shared: Run) -> None:
    first, *others = chunks(shared)
    slow = claim(first, holder="slow:1")
    now = timezone.now()
    for chunk in others:
        done(claim(chunk, holder="quick:1"), seconds=4.0)
    assert services.reconcile_chunks(now=now + timedelta(seconds=11)) == []
    later = now + timedelta(seconds=13)
    services.renew_chunk(lease=slow, now=later)
    assert services.reconcile_chunks(now=later) == [shared.pk]
    assert services.reconcile_chunks(now=later) == [], "one rival is enough"
    rival = claim(Chunk.objects.get(run=shared, attempt=2), holder="quick:1")
    assert done(rival)
    with pytest.raises(LeaseLostError):
        services.renew_chunk(lease=slow)
    with pytest.raises(LeaseLostError):
        done(slow)
    assert Chunk.objects.filter(run=shared).done().count() == len(PARTS)


def test_the_result_of_a_part_is_recorded_once(shared: Run) -> None:
    lease = claim(chunks(shared)[0])
    done(lease)
    with pytest.raises(LeaseLostError):
        done(lease)


def test_a_part_whose_worker_went_silent_is_tried_again(shared: Run) -> None:
    first = chunks(shared)[0]
    silent = claim(first, holder="silent:1")
    assert services.reconcile_chunks(now=timezone.now()) == []
    assert services.reconcile_chunks(now=timezone.now() + LATER) == [shared.pk]
    assert [c.attempt for c in chunks(shared) if c.index == 0] == [1, 2]
    with pytest.raises(LeaseLostError):
        done(silent)


def test_a_lost_message_is_sent_again_and_ever_more_rarely(shared: Run) -> None:
    now = timezone.now()
    assert services.reconcile_chunks(now=now + timedelta(seconds=5)) == []
    assert services.reconcile_chunks(now=now + timedelta(seconds=11)) == [shared.pk]
    assert services.reconcile_chunks(now=now + timedelta(seconds=12)) == []


def test_a_part_given_back_waits_again(shared: Run) -> None:
    first = chunks(shared)[0]
    services.release_chunk(lease=claim(first))
    first.refresh_from_db()
    assert first.state == ChunkState.WAITING
    claim(first, holder="b:1")


@pytest.mark.parametrize("action", ["pause", "cancel"])
def test_parts_of_a_run_that_was_stopped_are_no_longer_wanted(
    shared: Run, editor: User, action: str
) -> None:
    first, second, _ = chunks(shared)
    lease = claim(first)
    act = services.request_pause if action == "pause" else services.request_cancel
    act(run=shared, user=editor)
    with pytest.raises(LeaseLostError):
        services.renew_chunk(lease=lease)
    with pytest.raises(LeaseLostError):
        done(lease)
    assert services.claim_chunk(chunk_id=second.pk, holder="b:1", queue="cpu") is None


def test_a_part_that_failed_on_three_workers_fails_the_run(shared: Run) -> None:
    failure = Failure(code="dataset", message="The data are not there.", round_index=0)
    for attempt in (1, 2, 3):
        chunk = Chunk.objects.get(run=shared, index=0, attempt=attempt)
        services.fail_chunk(lease=claim(chunk, holder=f"w:{attempt}"), failure=failure)
    shared.refresh_from_db()
    assert shared.state == RunState.FAILED
    assert shared.failure is not None
    assert shared.failure["message"] == "The data are not there."


def test_a_closed_round_opens_the_next_in_one_step(shared: Run) -> None:
    for chunk in chunks(shared):
        lease = done(claim(chunk, holder=f"w:{chunk.index}"), seconds=2.0)
    assert lease is not None
    found = services.find_open_round(shared.pk, 0)
    assert found is not None
    assert found.is_complete()
    assert (found.pace.seconds_per_client, found.pace.num_workers) == (0.5, 3)
    services.close_round(
        lease=lease, report=report(0), checkpoint=stored("state"), next_parts=PARTS[:2]
    )
    shared.refresh_from_db()
    assert (shared.rounds_done, shared.parts_out, shared.lease_token) == (1, True, None)
    assert [c.round_index for c in chunks(shared) if c.state == ChunkState.WAITING] == [1, 1]
    with pytest.raises(LeaseLostError):
        services.close_round(
            lease=lease, report=report(0), checkpoint=stored("again"), next_parts=PARTS
        )


def test_whoever_waits_for_the_next_round_waits_for_few_queries(shared: Run) -> None:
    *others, last = [claim(chunk, holder=f"w:{chunk.index}") for chunk in chunks(shared)]
    for part in others:
        assert queries(partial(done, part))[1] <= 3
    lease, count = queries(partial(done, last))
    assert count <= 4
    assert lease is not None
    assert lease.all_parts is not None
    found = lease.all_parts
    assert found == services.find_open_round(shared.pk, 0)
    _, count = queries(
        lambda: services.close_round(
            lease=lease,
            report=report(0),
            checkpoint=stored("state"),
            next_parts=PARTS,
            used=found.keys,
            trainer="w:0",
        )
    )
    assert count <= 9
    waiting = [chunk for chunk in chunks(shared) if chunk.state == ChunkState.WAITING]
    assert queries(lambda: claim(waiting[0], warm={shared.pk}))[1] <= 4


def queries(action: Callable[[], T]) -> tuple[T, int]:
    """Return what an action returns, and its queries of rows."""
    with CaptureQueriesContext(connection) as captured:
        result = action()
    no_rows = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT", "SELECT clock_timestamp()")
    return result, sum(not query["sql"].startswith(no_rows) for query in captured)

"""Event numbers: without gaps and never twice, whoever writes at the same time."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.factories import begin, make_member, make_project, make_run, report
from tests.webapp.simultaneous import at_once
from webapp.accounts.models import Project, User
from webapp.jobs import services
from webapp.jobs.models import Job, Run
from webapp.jobs.services import IllegalTransitionError

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def project(transactional_db: None) -> Project:
    return make_project()


@pytest.fixture
def editor(project: Project) -> User:
    return make_member(project)


@pytest.fixture
def run(editor: User, project: Project) -> Run:
    return make_run(editor, project)


def assert_gap_free(run_id: UUID) -> None:
    run = Run.objects.get(pk=run_id)
    seqs = list(run.events.order_by("seq").values_list("seq", flat=True))
    assert seqs == list(range(1, run.last_seq + 1))


def test_writers_at_the_same_time_leave_no_gap_and_no_duplicate(run: Run) -> None:
    lease = begin(run)

    def write() -> None:
        for number in range(8):
            services.log_message(lease=lease, level="info", message=str(number))

    assert at_once(*[write] * 6) == [None] * 6
    assert_gap_free(run.pk)
    assert run.events.filter(kind="log").count() == 48


def test_a_round_recorded_by_two_at_once_is_recorded_once(run: Run) -> None:
    lease = begin(run)
    record = lambda: services.record_round(lease=lease, report=report(0))  # noqa: E731
    assert at_once(record, record, record) == [None] * 3
    assert run.rounds.count() == 1
    assert run.events.filter(kind="round_finished").count() == 1
    assert_gap_free(run.pk)


def test_of_many_workers_one_gets_the_run(run: Run) -> None:
    takes = [
        lambda name=f"worker-{number}": services.acquire_lease(run_id=run.pk, holder=name)
        for number in range(6)
    ]
    leases = [lease for lease in at_once(*takes) if lease is not None]
    assert len(leases) == 1
    assert isinstance(leases[0], services.Lease)
    assert_gap_free(run.pk)


def test_cancel_and_pause_at_once_end_in_a_legal_state(run: Run, editor: User) -> None:
    lease = begin(run)
    outcomes = at_once(
        lambda: services.request_cancel(run=run, user=editor),
        lambda: services.request_pause(run=run, user=editor),
        lambda: services.record_round(lease=lease, report=report(0)),
    )
    assert all(
        not isinstance(outcome, Exception) or isinstance(outcome, IllegalTransitionError)
        for outcome in outcomes
    ), outcomes
    run.refresh_from_db()
    assert run.requested_action == "cancel", "cancel beats pause, in whichever order they came"
    assert_gap_free(run.pk)


def test_finishing_and_cancelling_at_once_end_in_one_final_state(run: Run, editor: User) -> None:
    lease = begin(run)
    at_once(
        lambda: services.finish_run(lease=lease, metrics={}, totals={}, model_artifacts=[]),
        lambda: services.request_cancel(run=run, user=editor),
    )
    run.refresh_from_db()
    assert run.state == "succeeded"
    assert run.events.filter(kind="state_changed", data__to="succeeded").count() == 1
    assert_gap_free(run.pk)


def test_runs_of_a_job_launched_at_once_have_different_numbers(run: Run, editor: User) -> None:
    launches = [
        lambda: services.launch_run(job=Job.objects.get(pk=run.job_id), user=editor)
        for _ in range(4)
    ]
    assert not [outcome for outcome in at_once(*launches) if isinstance(outcome, Exception)]
    numbers = Run.objects.filter(job_id=run.job_id).values_list("number", flat=True)
    assert sorted(numbers) == [1, 2, 3, 4, 5]

"""Rows for tests, each made the way the application makes it."""

from __future__ import annotations

from datetime import datetime
from itertools import count
from typing import Any

from fedcore.spec import RunSpec, SweepSpec
from webapp.accounts.models import Membership, Project, User
from webapp.accounts.roles import Role
from webapp.jobs import services
from webapp.jobs.models import Job, Run
from webapp.jobs.states import RequestedAction

_numbers = count(1)

PASSWORD = "correct horse battery staple"  # noqa: S105  of users who exist in tests only


def make_user(**fields: Any) -> User:
    fields.setdefault("username", f"user-{next(_numbers)}")
    return User.objects.create_user(password=PASSWORD, **fields)


def make_project(name: str | None = None) -> Project:
    return Project.objects.create(name=name or f"project-{next(_numbers)}")


def make_member(project: Project, role: Role = Role.EDITOR, **fields: Any) -> User:
    user = make_user(**fields)
    Membership.objects.create(user=user, project=project, role=role)
    return user


def make_spec(**sections: Any) -> RunSpec:
    return RunSpec.model_validate({"rounds": 3, **sections})


def make_job(
    user: User, project: Project, *, name: str = "a job", launch: bool = False, **sections: Any
) -> Job:
    spec = make_spec(**sections)
    return services.submit_job(user=user, project=project, name=name, spec=spec, launch=launch)


def make_run(user: User, project: Project, *, name: str = "a run", **sections: Any) -> Run:
    """Return a run that waits in the queue."""
    return make_job(user, project, name=name, launch=True, **sections).runs.get()


def make_sweep(user: User, project: Project, *, name: str = "a sweep", **sweep: Any) -> Job:
    """Return a sweep of short runs, the first of which wait in the queue."""
    spec = SweepSpec.model_validate({**sweep, "base": {"rounds": 3, **sweep.get("base", {})}})
    return services.submit_sweep(user=user, project=project, name=name, sweep=spec)


def train(run: Run, *values: float, metric: str = "accuracy") -> Run:
    """Take a run through rounds with these values of a metric, and let it succeed at the end."""
    lease = begin(run)
    for index, value in enumerate(values, start=run.rounds_done):
        services.record_round(lease=lease, report=report(index, metrics={metric: value}))
    run.refresh_from_db()
    if run.requested_action == RequestedAction.CANCEL:
        services.cancel_run(lease=lease)
    elif run.rounds_done == run.rounds_total:
        services.finish_run(lease=lease, metrics={}, totals={}, model_artifacts=[])
    run.refresh_from_db()
    return run


def take(run: Run, *, holder: str = "worker-1", now: datetime | None = None) -> services.Lease:
    """Return a lease of a run that is free."""
    lease = services.acquire_lease(run_id=run.pk, holder=holder, now=now)
    if lease is None:
        raise AssertionError(f"the run cannot be taken: {run.state}")
    return lease


def begin(run: Run, *, holder: str = "worker-1", now: datetime | None = None) -> services.Lease:
    """Return a lease of a run whose training has begun."""
    lease = take(run, holder=holder, now=now)
    services.mark_running(lease=lease, executor="sequential", now=now)
    return lease


def report(round_index: int, **changes: Any) -> dict[str, Any]:
    """Return what the engine says about a round."""
    row: dict[str, Any] = {
        "round": round_index,
        "metrics": {"accuracy": 0.5 + 0.01 * round_index, "loss": 1.0 / (round_index + 1)},
        "bytes_up": 1_000,
        "bytes_down": 2_000,
        "seconds": 0.25,
        "sim_seconds": 3.0,
        "participants": 2,
        "clients": [client_report(0), client_report(1)],
    }
    return {**row, **changes}


def client_report(client_id: int, **changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "client_id": client_id,
        "num_samples": 10 * (client_id + 1),
        "loss": 0.5,
        "duration_s": 0.1,
        "bytes_up": 500,
        "bytes_down": 1_000,
        "status": "ok",
        "reason": None,
    }
    return {**row, **changes}

"""Rows that requests can be about: one of each kind, in the state in which most can be asked."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from fedcore.sites.tasks import TaskKind
from tests.factories import begin, make_member, make_project, make_run, make_spec, make_sweep, train
from tests.webapp.site_agents import Agent, approved, enrolled, invited
from webapp.accounts.models import Project, User
from webapp.accounts.roles import Role, Scope
from webapp.accounts.services import create_project_token, create_token
from webapp.accounts.services.invitations import invite
from webapp.artifacts.services import StoredFile, store_part
from webapp.jobs import services
from webapp.jobs.models import Job, Run
from webapp.sites import services as site_services
from webapp.sites.models import RunSite, SiteTask
from webapp.sites.services import accept_task, errands_of, open_stage, revoke_site

#: What sites ask themselves, with signed requests.
SITE_ROUTES = "/api/v1/site/"
#: Sections of a run with the data of a site.
ON_SITES: dict[str, Any] = {
    "dataset": {
        "kind": "sites",
        "name": "heart",
        "inputs": [{"column": "age"}],
        "target": {"column": "disease", "classes": ["no", "yes"]},
    },
    "partition": {"kind": "sites", "clients": 1},
    "model": {"kind": "linear"},
    "runtime": {"placement": "sites", "sites": ["asked"], "round_limit_s": 3600},
}
#: How many rows there are of what requests use up.
_SPARE = 3


@dataclass
class OnSites:
    """A site that takes part in runs, one that was revoked, and what the first is asked."""

    agent: Agent
    revoked: Agent
    train: SiteTask
    test: SiteTask

    def ids_for(self, last: str) -> dict[str, str]:
        """Return the ids of a route of sites that ends so."""
        task = self.test if last == "result" else self.train
        return {"run_id": str(self.train.run_id), "task_id": str(task.pk)}


@dataclass
class Stage:
    """Who asks, and what about."""

    project: Project
    admin: User
    viewer: User
    runs: dict[str, Run]
    templates: list[str]
    sweeps: list[str]
    views: list[str]
    tokens: list[str]
    project_tokens: list[str]
    members: list[str]
    invitation: str
    sites: dict[str, str]
    on_sites: OnSites

    def ids_for(self, path: str, method: str) -> dict[str, str]:
        """Return ids with which an operation can succeed."""
        last = path.rstrip("/").rpartition("/")[2]
        if path.startswith(SITE_ROUTES):
            return self.on_sites.ids_for(last)
        job_id = self.templates[-1] if method == "delete" else self.runs["watched"].job_id
        if "/sweep/" in path:
            job_id = self.sweeps[0] if "resume" in path else self.sweeps[-1]
        in_project = "{project_id}" in path
        return {
            "run_id": str(self.runs.get(last, self.runs["watched"]).pk),
            "job_id": str(job_id),
            "project_id": str(self.project.pk),
            "member_id": self.members[-1],
            "invitation_id": self.invitation,
            "user_id": str(self.viewer.pk),
            "view_id": self.views[-1],
            "site_id": self.sites.get(last, self.sites["revoke"]),
            "token_id": self.project_tokens[-1] if in_project else self.tokens[-1],
        }


def _stored(run: Run) -> StoredFile:
    content = ContentFile(secrets.token_bytes(64))
    key = default_storage.save(f"runs/{run.pk}/model/m.safetensors", content)
    return StoredFile(key=key, name="model.safetensors", size_bytes=64, sha256="0" * 64)


def make_stage() -> Stage:
    """Return a stage in the database of the test that runs."""
    project = make_project()
    editor = make_member(project, Role.ADMIN, is_superuser=True, is_staff=True)
    viewer = make_member(project, Role.VIEWER)
    others = [make_member(project) for _ in range(_SPARE)]
    watched = train(make_run(editor, project, name="watched"), 0.1, 0.2, 0.3)
    model = make_run(editor, project, name="model")
    lease = begin(model)
    services.finish_run(lease=lease, metrics={}, totals={}, model_artifacts=[_stored(model)])
    failed = make_run(editor, project, name="failed")
    failure = services.Failure(code="c", message="m", round_index=0)
    services.fail_run(lease=begin(failed), failure=failure)
    short = make_run(editor, project, name="short of updates")
    services.fail_run(lease=begin(short), failure=failure, kept=_stored(short))
    paused = make_run(editor, project, name="paused")
    services.request_pause(run=paused, user=editor)
    stopped = make_sweep(editor, project, axes={"seed": [1, 2]})
    services.cancel_sweep(job=stopped, user=editor)
    going = make_sweep(editor, project, axes={"seed": [1, 2]})
    templates = [str(_template(editor, project, number).pk) for number in range(_SPARE)]
    views = [
        str(services.keep_view(user=editor, name=f"view {n}", query="").pk) for n in range(_SPARE)
    ]
    agent, gone = approved(editor, project, "asked"), enrolled(editor, project, "gone")
    day = timedelta(days=1)
    invite(user=editor, project=project, role=Role.VIEWER, note="", lifetime=day)
    made = [create_token(user=editor, name=f"t{n}", lifetime=day) for n in range(_SPARE)]
    lent = [
        create_project_token(
            user=editor, project=project, name=f"p{n}", lifetime=day, scope=Scope.READ
        )
        for n in range(_SPARE)
    ]
    return Stage(
        project=project,
        admin=editor,
        viewer=viewer,
        runs={
            "watched": watched,
            "model": model,
            "retry": failed,
            "retry-failed": short,
            "resume": paused,
            "pause": make_run(editor, project, name="to be paused"),
            "cancel": make_run(editor, project, name="to be cancelled"),
        },
        templates=templates,
        sweeps=[str(stopped.pk), str(going.pk)],
        views=views,
        tokens=[str(row.id) for row, _ in made],
        project_tokens=[str(row.id) for row, _ in lent],
        invitation=str(project.invitations.get().pk),
        members=[str(other.memberships.get().pk) for other in others],
        sites=_sites(editor, project, gone),
        on_sites=OnSites(
            agent=agent,
            revoked=gone,
            train=_asked(editor, agent, TaskKind.TRAIN),
            test=_asked(editor, agent, TaskKind.EVALUATE),
        ),
    )


def _sites(admin: User, project: Project, gone: Agent) -> dict[str, str]:
    """Return sites by what can be done to them, and one to which nothing can."""
    revoke_site(user=admin, site=gone.row, reason="test")
    return {
        "invitation": invited(admin, project, "invited")["id"],
        "approve": str(enrolled(admin, project, "enrolled").site_id),
        "revoke": str(approved(admin, project, "approved").site_id),
        "revoked": str(gone.site_id),
    }


def _asked(admin: User, agent: Agent, kind: TaskKind) -> SiteTask:
    """Return a task of a run of its own, which the site has accepted."""
    run = make_run(admin, agent.row.project, name=f"{kind} on sites", **ON_SITES)
    message = store_part(run_id=run.pk, name="message", payload=secrets.token_bytes(64))
    RunSite.objects.create(
        run=run, site=agent.row, client_id=0, name="asked", num_train=1, num_test=1
    )
    stage = site_services.Stage(kind, (0,), errands_of([0], message, 1), limit_s=3600.0)
    open_stage(lease=begin(run), stage=stage)
    task = SiteTask.objects.get(run=run)
    return accept_task(site=agent.row, task_id=task.pk)


def _template(editor: User, project: Project, number: int) -> Job:
    return services.submit_job(
        user=editor,
        project=project,
        name=f"template {number}",
        spec=make_spec(),
        launch=False,
        is_template=True,
    )

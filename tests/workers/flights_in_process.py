"""Runs on real sites whose server does not wait for them all, as tests begin and disturb them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from tests.workers.sites_in_process import Server, Site
from webapp.jobs import services as job_services
from webapp.jobs.clock import database_now
from webapp.jobs.models import Run, RunEvent
from webapp.sites.models import SiteRound, SiteTask

Begin = Callable[..., tuple[Run, list[Site]]]


def fedbuff(buffer: int, restart: str = "at_aggregation") -> dict[str, Any]:
    return {"kind": "fedbuff", "buffer": buffer, "restart": restart}


def time_out(run: Run, client: int) -> None:
    """Let the time be up that a site has for its task."""
    past = timezone.now() - timedelta(seconds=1)
    for task in SiteTask.objects.filter(run=run, client_id=client).open():
        began = past - (task.deadline_at - task.opened_at)
        SiteTask.objects.filter(pk=task.pk).update(deadline_at=past, opened_at=began)
        RunEvent.objects.filter(run=run).update(created_at=began - timedelta(seconds=60))
        earlier = F("opened_at") - timedelta(hours=1)
        SiteRound.objects.filter(run=run).update(opened_at=earlier)


def one_round(server: Server, *sites: Site) -> None:
    """Let some sites train, then test."""
    for _ in ("train", "evaluate"):
        for site in sites:
            site.look()
        server.work()


def clients_of(run: Run, round_index: int) -> list[tuple[int, str]]:
    clients = run.rounds.get(round_index=round_index).clients
    return [(client["client_id"], client["status"]) for client in clients]


def disturbed(run: Run, server: Server) -> None:
    """Let the worker be killed with the lease in hand, another take over, and hints come twice."""
    server.engines.drop(run.pk)
    if job_services.acquire_lease(run_id=run.pk, holder="dead:1") is not None:
        job_services.reconcile(now=database_now() + timedelta(hours=1))
    server.messages.extend([run.pk, run.pk])
    server.work()

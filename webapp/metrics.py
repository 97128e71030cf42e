"""``/metrics`` for Prometheus: what this web process answers, and what there is to do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from secrets import compare_digest

from django.conf import settings
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from webapp.api import errors
from webapp.jobs.clock import database_now
from webapp.jobs.models import Queue, Run
from webapp.jobs.operation_models import Notice, Worker
from webapp.jobs.states import RunState
from webapp.settings.env import Mode

REGISTRY = CollectorRegistry()
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_REQUESTS = Histogram(
    "roundhouse_http_request_seconds",
    "Duration of requests to this web process.",
    ["method", "route", "status"],
    registry=REGISTRY,
)


class RequestMetricsMiddleware:
    """Counts and times requests by route, so that the number of series does not grow with rows."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        route = match.route if match is not None else "none"
        method = request.method if request.method in _METHODS else "other"
        series = _REQUESTS.labels(method, route, str(response.status_code))
        series.observe(time.perf_counter() - started)
        return response


_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class WorkCollector(Collector):
    """Reads the state of all work at each scrape; several web processes report the same."""

    def collect(self) -> Iterator[Metric]:
        now = database_now()
        runs = GaugeMetricFamily("roundhouse_runs", "Runs by state.", labels=["state"])
        counts = dict(Run.objects.values_list("state").annotate(number=Count("pk")))
        for state in RunState:
            runs.add_metric([state], counts.get(state, 0))
        yield runs
        waiting = GaugeMetricFamily("roundhouse_queue_waiting", "Runs that wait.", labels=["queue"])
        oldest = GaugeMetricFamily(
            "roundhouse_queue_oldest_seconds", "How long the oldest one waits.", labels=["queue"]
        )
        for queue in Queue:
            row = Run.objects.waiting().filter(queue=queue)
            found = row.aggregate(number=Count("pk"), since=Min("queued_at"))
            waiting.add_metric([queue], found["number"])
            since = found["since"]
            oldest.add_metric([queue], 0 if since is None else (now - since).total_seconds())
        yield waiting
        yield oldest
        yield from _workers()
        silent = Run.objects.abandoned(now).count()
        yield GaugeMetricFamily("roundhouse_runs_abandoned", "Runs of silent workers.", silent)
        unsent = Notice.objects.filter(due_at__isnull=False).count()
        yield GaugeMetricFamily("roundhouse_notices_unsent", "Notices to be sent.", unsent)


def _workers() -> Iterator[Metric]:
    alive = list(Worker.objects.alive(database_now()).values_list("queues", "run_id"))
    by_queue = GaugeMetricFamily("roundhouse_workers", "Live workers.", labels=["queue", "busy"])
    for queue in (*Queue, "upkeep"):
        serving = [run_id for queues, run_id in alive if queue in queues]
        busy = sum(run_id is not None for run_id in serving)
        by_queue.add_metric([queue, "yes"], busy)
        by_queue.add_metric([queue, "no"], len(serving) - busy)
    yield by_queue


REGISTRY.register(WorkCollector())


def metrics(request: HttpRequest) -> HttpResponse:
    """Answer a scrape; to everybody else there is nothing at this address."""
    if not _may_scrape(request):
        return errors.not_found(request)
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE)


def _may_scrape(request: HttpRequest) -> bool:
    """Return whether the request has the token or, embedded without a token, is from here."""
    token = settings.METRICS_TOKEN
    if token is not None:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return compare_digest(given.encode(), token.encode())
    # Behind a proxy every request is from here; the embedded mode has none.
    if settings.ENVIRONMENT.mode is not Mode.EMBEDDED or "X-Forwarded-For" in request.headers:
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False

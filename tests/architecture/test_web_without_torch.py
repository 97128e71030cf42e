"""The web process must start, and answer every route, on a machine without torch."""

import subprocess
import sys

import pytest

from tests.architecture.sources import ROOT

HEAVY = ("torch", "numpy", "sklearn", "datasets", "transformers")

LOAD_EVERY_ROUTE = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "webapp.settings.test"
import webapp.asgi
import webapp.celery
import webapp.jobs.queue
from django.urls import get_resolver

def walk(resolver):
    for pattern in resolver.url_patterns:
        if hasattr(pattern, "url_patterns"):
            walk(pattern)
        else:
            assert pattern.callback is not None

walk(get_resolver())
"""

CASES = {
    "every route and websocket": LOAD_EVERY_ROUTE,
    "the spec": "import sys, fedcore.spec, fedcore.errors; fedcore.spec.catalogue()",
    "the API client": "import sys, webapp.client.commands",
}


def run_and_list_modules(code: str) -> set[str]:
    listing = "\nprint('MODULES', *sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", code + listing],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("MODULES ")[2].split())


@pytest.mark.parametrize("case", CASES)
def test_it_loads_without_torch(case: str) -> None:
    assert run_and_list_modules(CASES[case]) & set(HEAVY) == set()


def test_the_api_client_needs_no_django() -> None:
    assert "django" not in run_and_list_modules(CASES["the API client"])

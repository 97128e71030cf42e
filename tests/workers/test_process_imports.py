"""Each process loads only what it needs: torch takes seconds and hundreds of megabytes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "imports",
    [
        "workers.web_process, webapp.asgi",
        "workers.worker_process, workers.beat, workers.post, workers.upkeep",
        "workers.supervisor, workers.stack, workers.demonstration, workers.diagnosis",
    ],
    ids=["web", "upkeep", "supervisor"],
)
def test_only_a_process_that_trains_loads_torch(imports: str) -> None:
    program = "; ".join(
        (
            "import os, sys",
            "os.environ['DJANGO_SETTINGS_MODULE'] = 'webapp.settings.test'",
            "import django",
            "django.setup()",
            f"import {imports}",
            "sys.exit('torch' in sys.modules)",
        )
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr

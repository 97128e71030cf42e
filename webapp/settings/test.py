"""Settings of the test suites; the database, the broker and Redis come from the environment."""

import os
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

# Set before the environment is read: tests never touch an installation's files or its secret.
_scratch = Path(tempfile.mkdtemp(prefix="roundhouse-tests-"))
os.environ.setdefault("ROUNDHOUSE_SECRET_KEY", "a-secret-that-only-the-tests-know-" + "x" * 32)
os.environ["ROUNDHOUSE_VAR_DIR"] = str(_scratch)

from webapp.settings.base import *  # noqa: E402, F403
from webapp.settings.base import CACHES, DATABASES, RATE_LIMITS  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast; hashes nothing real
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, not memory: threads then meet the same locks as the processes of an installation.
    DATABASES["default"]["TEST"] = {"NAME": str(_scratch / "test.sqlite3")}
if "LOCATION" in CACHES["default"] and (_process := os.environ.get("PYTEST_XDIST_WORKER")):
    # A database of Redis for each process: to clear the cache is to empty one.
    _number = 1 + int(_process.removeprefix("gw"))
    _redis = urlsplit(str(CACHES["default"]["LOCATION"]))
    CACHES["default"]["LOCATION"] = _redis._replace(path=f"/{_number}").geturl()
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
WATCH_INTERVAL_S = 0.02
# The suites are one address that asks for many; what limits do is tested with limits of its own.
RATE_LIMITS = dict.fromkeys(RATE_LIMITS, 1_000_000)

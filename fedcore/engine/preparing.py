"""Preparing large data sets in a process of its own, which can be ended at any moment.

Reading and converting a data set for the first time takes up to minutes, inside libraries that
nobody can interrupt. What the process makes is in the cache afterwards, mapped within milliseconds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from time import monotonic

import structlog

from fedcore.clients.training import Interrupted, ShouldStop
from fedcore.data import is_prepared
from fedcore.data.sites import Holding
from fedcore.engine.at_sites import context_on_server
from fedcore.engine.context import RunContext, build_context
from fedcore.engine.data import request_of
from fedcore.engine.device import one_thread
from fedcore.engine.pool.processes import child_environment
from fedcore.environment import Folders
from fedcore.errors import DatasetError
from fedcore.spec import RunSpec

log = structlog.get_logger(__name__)

#: A smaller data set is prepared sooner than a process has loaded torch.
WORTH_A_PROCESS_BYTES = 16 << 20
_POLL_S = 0.05


def prepared_context(
    spec: RunSpec,
    folders: Folders,
    should_stop: ShouldStop | None,
    holdings: Sequence[Holding] | None,
) -> RunContext:
    """Return the fixed parts of a run, or of its server if its clients are sites.

    Raises:
        FedcoreError: As ``build_context``.
        Interrupted: If ``should_stop`` said so while data were prepared.
    """
    if should_stop is not None and holdings is None:
        prepare_apart(spec, folders, should_stop)
    with one_thread():
        if holdings is not None:
            return context_on_server(spec, tuple(holdings))
        return build_context(spec, folders)


def prepare_apart(spec: RunSpec, folders: Folders, should_stop: ShouldStop) -> None:
    """Have the data of a run prepared unless they are, or can be in no time.

    What is wrong with the data is not reported: whoever reads them next finds it too.

    Raises:
        Interrupted: If ``should_stop`` said so; what was prepared until then is lost.
        DatasetError: If the process was killed, which mostly means that memory ran out.
    """
    info = spec.dataset.info()
    is_small = info is not None and info.size_bytes < WORTH_A_PROCESS_BYTES
    if is_small or is_prepared(spec.dataset, request_of(spec, folders)):
        return
    began = monotonic()
    with _started(spec, folders) as process:
        try:
            while process.poll() is None:
                if should_stop():
                    raise Interrupted
                try:
                    process.wait(_POLL_S)
                except subprocess.TimeoutExpired:
                    continue
        finally:
            process.kill()
    if process.returncode < 0:
        raise DatasetError(
            f"preparing the data set was killed by signal {-process.returncode}",
            field="dataset",
            fix="Signal 9 usually means that memory ran out; use fewer examples"
            " (dataset.max_train) or a worker with more memory.",
        )
    log.info("data set prepared", seconds=round(monotonic() - began, 2))


def _started(spec: RunSpec, folders: Folders) -> subprocess.Popen[bytes]:
    named = {name: value and str(value) for name, value in vars(folders).items()}
    request = json.dumps({"spec": spec.model_dump(mode="json"), "folders": named})
    process = subprocess.Popen(  # noqa: S603  (our own program and nothing from outside)
        [sys.executable, "-m", "fedcore.engine.preparer", str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=2,  # standard output belongs to the caller's own results
        env=child_environment(),
    )
    if process.stdin is None:
        raise RuntimeError("the process has no input")
    with process.stdin as pipe:
        pipe.write(request.encode())
    return process

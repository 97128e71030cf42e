"""The process that prepares a data set for ``fedcore.engine.preparing``; run with ``python -m``."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import structlog
import torch

from fedcore.engine.data import divided_data
from fedcore.engine.pool.lifetime import die_with
from fedcore.environment import Folders
from fedcore.errors import FedcoreError
from fedcore.spec import RunSpec

log = structlog.get_logger(__name__)


def main() -> int:
    """Prepare the data that standard input describes; be gone when the caller is."""
    die_with(int(sys.argv[1]))
    torch.set_num_threads(1)
    request = json.load(sys.stdin)
    named = {name: value and Path(value) for name, value in request["folders"].items()}
    try:
        divided_data(RunSpec.parse(request["spec"]), Folders(**named))
    except FedcoreError as error:
        log.warning("data set not prepared", reason=error.message)
        return 1
    return 0


if __name__ == "__main__":
    os._exit(main())  # all is written: taking torch apart takes a second

"""``python -m workers.child``: one supervised process, a web server or a worker."""

from __future__ import annotations

import argparse
import faulthandler
import os
import signal
from collections.abc import Callable

from workers.lifeline import hold_on_to


def main() -> None:
    """Run one service until it is asked to stop."""
    arguments = _parser().parse_args()
    # `kill -USR2 PID` writes to the log where every thread is, for when one seems stuck.
    faulthandler.register(signal.SIGUSR2)
    if arguments.lifeline_fd is not None:
        hold_on_to(arguments.lifeline_fd)
    on_ready = _announcer(arguments.ready_fd)
    # Each branch imports only what its process needs: a web process never loads torch.
    if arguments.kind == "web":
        from workers.web_process import serve  # noqa: PLC0415

        serve(host=arguments.host, port=arguments.port, on_ready=on_ready)
    else:
        from workers.worker_process import work  # noqa: PLC0415

        work(name=arguments.name, queues=arguments.queues.split(","), on_ready=on_ready)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="workers.child")
    kinds = parser.add_subparsers(dest="kind", required=True)
    web = kinds.add_parser("web")
    web.add_argument("--host", required=True)
    web.add_argument("--port", type=int, required=True)
    worker = kinds.add_parser("worker")
    worker.add_argument("--name", required=True)
    worker.add_argument("--queues", required=True)
    for kind in (web, worker):
        kind.add_argument("--lifeline-fd", type=int)
        kind.add_argument("--ready-fd", type=int)
    return parser


def _announcer(ready_fd: int | None) -> Callable[[], None]:
    def announce() -> None:
        if ready_fd is not None:
            os.write(ready_fd, b"1")
            os.close(ready_fd)

    return announce


if __name__ == "__main__":
    main()

"""A child for the supervisor's tests: says that it is ready, starts a child of its own, waits."""

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event

from workers.lifeline import hold_on_to

parser = argparse.ArgumentParser()
parser.add_argument("--pids", type=Path, required=True)
parser.add_argument("--stubborn", action="store_true")
parser.add_argument("--lifeline-fd", type=int)
parser.add_argument("--ready-fd", type=int)
arguments = parser.parse_args()

hold_on_to(arguments.lifeline_fd, grace_s=0.2)
grandchild = subprocess.Popen(
    [sys.executable, "-c", "from threading import Event; Event().wait(60)"], close_fds=True
)
with arguments.pids.open("a") as file:
    file.write(f"{os.getpid()}\n{grandchild.pid}\n")
if arguments.stubborn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.write(arguments.ready_fd, b"1")
Event().wait(60)

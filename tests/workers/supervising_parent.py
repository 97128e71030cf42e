"""Supervises one child until it is killed, for the test of what happens to the child then."""

import os
import sys
from threading import Event

from workers.supervisor import Service, Supervisor

command = (sys.executable, "-m", "tests.workers.obedient_child", "--pids", *sys.argv[1:])
supervisor = Supervisor([Service("child", command)], environment=os.environ, say=lambda _: None)
supervisor.start()
Event().wait(60)

"""Clients' work shared out over processes of this machine, one thread each.

The processes are made once per run by a nursery (``nursery.py``), which loads torch and the data
and forks; parameters and updates travel through shared memory (``arena.py``), orders and small
results as JSON over sockets (``packing.py``). Nothing is pickled.
"""

from fedcore.engine.pool.executor import PoolExecutor
from fedcore.engine.pool.processes import Processes

__all__ = ["PoolExecutor", "Processes"]

"""Other people's simulators on the same workloads; each runs in its own environment.

Modules here import nothing of this project but ``benchmarks.workloads``, because the peers'
environments (``.bench/<peer>/``, made by ``make bench-peers``) hold nothing else of it.
"""
